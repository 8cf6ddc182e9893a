/* SPDX-License-Identifier: BSD-2-Clause */
/* The page's style sheet and script, as read-only data. */
	.macro asset name, file
	.global \name
	.type \name, %object
\name:
	.incbin "\file"
\name\()_end_:
	.size \name, . - \name
	.global \name\()_end
	.type \name\()_end, %object
	.set \name\()_end, \name\()_end_
	.endm

	.section .rodata
	asset report_css, "page.css"
	asset report_js, "page.js"
	.section .note.GNU-stack, "", %progbits
