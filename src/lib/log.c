/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/types.h"

enum { LINE = 512, BURST = 200, REFILL_MS = 100 };

/* fd -1: nowhere. tokens: lines that may be written now; one comes back each REFILL_MS. */
static struct {
	int fd;
	int journal;
	char path[256];
	size_t written;
	char last[LINE];
	u64 repeats, swallowed;
	u64 refilled_ms;
	u32 tokens;
} sink = {.fd = -1, .tokens = BURST};

static u64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000 + (u64)ts.tv_nsec / 1000000;
}

void log_close(void)
{
	if (sink.fd > STDERR_FILENO)
		close(sink.fd);
	sink.fd = -1;
}

void log_to_stderr(int journal)
{
	log_close();
	sink.fd = STDERR_FILENO;
	sink.journal = journal;
}

int log_to_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;

	if (fd < 0)
		return -errno;
	log_close();
	snprintf(sink.path, sizeof(sink.path), "%s", path);
	sink.fd = fd;
	sink.journal = 0;
	sink.written = fstat(fd, &st) == 0 ? (size_t)st.st_size : 0;
	return 0;
}

/* Begin a new file when this one is full. */
static void turn_over(void)
{
	char path[sizeof(sink.path)], old[sizeof(sink.path) + 2];

	memcpy(path, sink.path, sizeof(path));
	snprintf(old, sizeof(old), "%s.1", path);
	rename(path, old);
	log_to_file(path);
}

static bool may_write(void)
{
	u64 now = now_ms(), back = (now - sink.refilled_ms) / REFILL_MS;

	if (back) {
		sink.tokens = (u32)min_of(sink.tokens + back, (u64)BURST);
		sink.refilled_ms = now;
	}
	if (!sink.tokens) {
		sink.swallowed++;
		return false;
	}
	sink.tokens--;
	return true;
}

static void emit(char priority, const char *text)
{
	char line[LINE + 64], stamp[32] = "";
	time_t t = time(NULL);
	struct tm tm;
	int n;

	if (sink.fd != STDERR_FILENO && localtime_r(&t, &tm))
		strftime(stamp, sizeof(stamp), "%F %T ", &tm);
	if (sink.journal)
		n = snprintf(line, sizeof(line), "<%c>%s\n", priority, text);
	else
		n = snprintf(line, sizeof(line), "%s%s\n", stamp, text);
	if (write(sink.fd, line, (size_t)n) == n)
		sink.written += (size_t)n;
	if (sink.fd > STDERR_FILENO && sink.written > LOG_BYTES)
		turn_over();
}

static void tell_kept_back(void)
{
	char note[80];

	if (sink.repeats) {
		snprintf(note, sizeof(note), "the last line %llu more times",
			 (unsigned long long)sink.repeats);
		sink.repeats = 0;
		emit('6', note);
	}
	if (sink.swallowed) {
		snprintf(note, sizeof(note), "%llu lines were not written: too many at once",
			 (unsigned long long)sink.swallowed);
		sink.swallowed = 0;
		emit('4', note);
	}
}

static void line_out(char priority, const char *fmt, va_list ap)
{
	char text[LINE];

	if (sink.fd < 0)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	if (!strcmp(text, sink.last)) {
		sink.repeats++;
		return;
	}
	if (!may_write())
		return;
	tell_kept_back();
	snprintf(sink.last, sizeof(sink.last), "%s", text);
	emit(priority, text);
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line_out('3', fmt, ap);
	va_end(ap);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line_out('6', fmt, ap);
	va_end(ap);
}
