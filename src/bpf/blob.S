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
	.section .note.GNU-stack, "", %progbits
