/* SPDX-License-Identifier: BSD-2-Clause */
/* The labs that come with tunl, as read-only data: labs/NAME.lab, "\fNAME\n" before each. */
	.section .rodata
	.global lab_blob
	.type lab_blob, %object
lab_blob:
	.incbin "labs.blob"
lab_blob_end_:
	.size lab_blob, . - lab_blob
	.global lab_blob_end
	.type lab_blob_end, %object
	.set lab_blob_end, lab_blob_end_
	.section .note.GNU-stack, "", %progbits
