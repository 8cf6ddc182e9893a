/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/err.h"

#include <stdio.h>

static int err_fill(struct err *e, int status, int code, const char *fmt, va_list ap)
{
	if (e) {
		e->code = code;
		e->status = status;
		vsnprintf(e->text, sizeof(e->text), fmt, ap);
	}
	return -code;
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	code = err_fill(e, 0, code, fmt, ap);
	va_end(ap);
	return code;
}

int err_exit(struct err *e, int status, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	code = err_fill(e, status, code, fmt, ap);
	va_end(ap);
	return code;
}
