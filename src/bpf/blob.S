/* SPDX-License-Identifier: BSD-2-Clause */
/* The compiled BPF programs, as read-only data: bpf/loader.c loads them. */
	.section .rodata
	.balign 16
	.global bpf_blob
	.type bpf_blob, %object
bpf_blob:
	.incbin "tunl.bpf.o"
bpf_blob_end_:
	.size bpf_blob, . - bpf_blob
	.global bpf_blob_end
	.type bpf_blob_end, %object
	.set bpf_blob_end, bpf_blob_end_
	/* and those that tell `tunl trace` */
	.balign 16
	.global bpf_traced
	.type bpf_traced, %object
bpf_traced:
	.incbin "traced.bpf.o"
bpf_traced_end_:
	.size bpf_traced, . - bpf_traced
	.global bpf_traced_end
	.type bpf_traced_end, %object
	.set bpf_traced_end, bpf_traced_end_
	.section .note.GNU-stack, "", %progbits
