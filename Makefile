# SPDX-License-Identifier: BSD-2-Clause
#
# The only build file.
#
#	make		build/tunl, build/tunld, build/bin/ip
#	make lab	installs what is needed, builds, and runs the lab on both datapaths
#	make check	all tests
#	make bench	how fast it is; T=NAME for one benchmark (tests/bench/run --help)
#	make interop	beside the kernel's own drivers, in a virtual machine
#	make fuzz T=60	every fuzz target for T seconds
#	make lint	clang-tidy and cppcheck
#	make deb		Debian's package
#	make static	tunl and tunld without shared libraries, for small machines
#	make install uninstall clean golden-update man-update
#
#	B=DIR		where to build (default: build)
#	SAN=1		with AddressSanitizer and UndefinedBehaviorSanitizer
#	CC=clang	another compiler
#	V=1		print the commands

B	?= build
CC	= gcc
CLANG	?= clang
AR	= ar
PREFIX	?= /usr/local
DESTDIR	?=
VERSION	:= 0.1.0

WARN	:= -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wundef -Wvla \
	   -Wformat=2 -Wno-format-nonliteral -Wno-missing-field-initializers -Werror
OPT	?= -O2 -g
SANFLAGS := $(if $(SAN),-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=undefined \
	      -fno-omit-frame-pointer)
HARDEN	:= -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2)
CFLAGS	?= $(OPT)
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -Isrc -DTUNL_VERSION='"$(VERSION)"' \
	   -DTUNL_PREFIX='"$(PREFIX)"' $(WARN) $(HARDEN) $(SANFLAGS) $(CFLAGS) $(XFLAGS)
LDFLAGS	?=
ALL_LDFLAGS = $(if $(STATIC),-static-pie -Wl$(comma)--gc-sections,-pie) -Wl,-z,relro,-z,now \
	   $(SANFLAGS) $(LDFLAGS)
comma	:= ,

# Folders, lowest first: a folder includes only from those before it
# (scripts/check-includes holds it to that).
FLOORS	:= lib wire model mode ipsec bpf engine daemon cli metrics report lab
TUNL_FLOORS  := lab report cli ipsec mode model lib
TUNLD_FLOORS := daemon engine bpf ipsec mode model lib
METRICS_FLOORS := metrics cli ipsec mode model lib
METRICS_LIBS := -lmicrohttpd -ljansson
IP_FLOORS    := cli ipsec mode model lib
IP_LIBS      := -ljansson
TUNL_LIBS    := -ljansson -lpcap -lmnl -linih
TUNLD_LIBS   := -lbpf -luv -lmnl -ljansson -lseccomp -lcrypto


# Without shared libraries (make static): Debian has no archive of libmnl, and libpcap's asks
# for libdbus's; packaging/static stands in for what of them is needed.
ifdef STATIC
IP_LIBS      := -ljansson
TUNL_LIBS    := $(B)/static/pcap.o $(B)/static/mnl.o -ljansson -lpcap -linih
TUNLD_LIBS   := $(B)/static/mnl.o -lbpf -lelf -lz -l:libuv_a.a -ljansson -lseccomp -lcrypto -ldl -lpthread
endif

.DEFAULT_GOAL := all
.PHONY: all programs deps lab check bench interop fuzz lint install uninstall clean golden-update
export B

# Parsed again once the packages are there: the compiler is asked for paths.
# As many jobs as processors, unless -j says otherwise.
JOBS	?= $(shell nproc 2>/dev/null || echo 1)
SUBMAKE	= $(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS))

all: deps
	@$(SUBMAKE) programs completion

# What is missing from Debian's packages: installed as root, named otherwise.
deps:
	@scripts/deps build

lab:
	@scripts/deps build lab
	@$(SUBMAKE) programs
	$(B)/tunl lab run --datapath bpf
	$(B)/tunl lab run --datapath user

check:
	@scripts/deps build check
	@scripts/check

bench:
	@scripts/deps build bench interop
	@$(SUBMAKE) programs bench-programs
	@tests/bench/run $(T)

interop:
	@scripts/deps build interop
	@$(SUBMAKE) programs $(B)/test/forkserver.so
	@TUNL_BUILD=$(abspath $(B)) tests/interop/run $(T)
	@$(if $(T),,TUNL_BUILD=$(abspath $(B)) tests/interop/cli)

fuzz:
	@scripts/deps build check
	@scripts/fuzz $(or $(T),60)

lint:
	@scripts/deps build lint
	@scripts/lint

golden-update:
	@scripts/deps build check
	@$(SUBMAKE) programs
	@tests/golden/run --update

srcs	= $(filter-out %.bpf.c,$(wildcard src/$(1)/*.c)) $(wildcard src/$(1)/*.S)
objs	= $(patsubst src/%,$(B)/o/%.o,$(call srcs,$(1)))
archive	= $(B)/a/$(1).a
archives = $(foreach f,$(1),$(if $(call srcs,$(f)),$(call archive,$(f))))

define floor_rules
$(call archive,$(1)): $(call objs,$(1))
	@mkdir -p $$(@D); rm -f $$@
	$$(Q)$$(AR) rcs $$@ $$^
endef
$(foreach f,$(FLOORS),$(if $(call srcs,$(f)),$(eval $(call floor_rules,$(f)))))

Q	:= $(if $(V),,@)

$(B)/o/%.c.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC      $<")
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# BPF programs: only UAPI headers, no vmlinux BTF. Embedded by blob.S.
BPF_SRCS := $(wildcard src/bpf/*.bpf.c)
BPF_OBJS := $(patsubst src/bpf/%.bpf.c,$(B)/bpf/%.bpf.o,$(BPF_SRCS))
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)

$(B)/bpf/%.bpf.o: src/bpf/%.bpf.c Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo "  BPF     $<")
	$(Q)$(CLANG) -target bpf -mcpu=v3 -O2 -g -std=gnu17 -Isrc -I/usr/include/$(MULTIARCH) \
		-Wall -Wextra -Werror -Wno-missing-field-initializers -Wno-unknown-pragmas \
		-fno-stack-protector -MMD -MP -MF $(@:.o=.d) -MT $@ -c -o $@ $<

$(B)/o/bpf/%.S.o: src/bpf/%.S $(BPF_OBJS) Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) -I$(B)/bpf $(SANFLAGS) -c -o $@ $<

# The labs, embedded by labs.S; a form feed before each.
LABS	:= $(sort $(wildcard labs/*.lab))

$(B)/labs/labs.blob: $(LABS) Makefile
	@mkdir -p $(@D)
	$(Q)for f in $(LABS); do printf '\f%s\n' $$(basename $$f .lab) && cat $$f || exit 1; done >$@

# The page's style sheet and script, embedded by assets.S.
$(B)/o/report/%.S.o: src/report/%.S src/report/page.css src/report/page.js
	@mkdir -p $(@D)
	$(Q)$(CC) -Isrc/report $(SANFLAGS) -c -o $@ $<

$(B)/o/lab/%.S.o: src/lab/%.S $(B)/labs/labs.blob
	@mkdir -p $(@D)
	$(Q)$(CC) -I$(B)/labs $(SANFLAGS) -c -o $@ $<

programs: $(B)/tunl $(B)/tunld $(B)/bin/ip $(B)/tunl-metrics

$(B)/static/%.o: packaging/static/%.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-cast-align -c -o $@ $<

ifdef STATIC
$(B)/tunl $(B)/tunld: $(B)/static/mnl.o $(B)/static/pcap.o
endif

# Its folder, and how large the two are.
STATIC_B ?= $(B)/static
.PHONY: static
static:
	@scripts/deps build
	@$(SUBMAKE) B=$(STATIC_B) STATIC=1 CFLAGS='-Os -g -ffunction-sections -fdata-sections' \
		$(STATIC_B)/tunl $(STATIC_B)/tunld
	@for p in tunl tunld; do strip -o $(STATIC_B)/$$p.small $(STATIC_B)/$$p && \
		mv $(STATIC_B)/$$p.small $(STATIC_B)/$$p && \
		echo "$(STATIC_B)/$$p: $$(stat -c %s $(STATIC_B)/$$p) bytes, no shared library" || exit 1; done

$(B)/tunl: $(B)/o/tunl.c.o $(call archives,$(TUNL_FLOORS))
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter $(B)/o/% $(B)/a/%,$^) $(TUNL_LIBS)

$(B)/tunld: $(B)/o/tunld.c.o $(call archives,$(TUNLD_FLOORS))
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(filter $(B)/o/% $(B)/a/%,$^) $(TUNLD_LIBS)

$(B)/tunl-metrics: $(B)/o/metrics.c.o $(call archives,$(METRICS_FLOORS))
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(METRICS_LIBS)

# The personality is on the way of every `ip` call: it loads no more than it needs.
$(B)/bin/ip: $(B)/o/ip.c.o $(call archives,$(IP_FLOORS))
	@mkdir -p $(@D); rm -f $@
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(IP_LIBS)

# What is made from the tables of words: completion for shells, lists for the manual.
$(B)/tables: $(B)/o/tables.c.o $(call archives,$(IP_FLOORS))
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(IP_LIBS)

COMPLETION := $(B)/completion/tunl.bash $(B)/completion/tunl.zsh

$(B)/completion/tunl.%: packaging/completion/tunl.% $(B)/tables
	@mkdir -p $(@D)
	$(Q)$(B)/tables shell >$(B)/completion/tables.$*
	$(Q)if grep -q '^@TABLES@$$' $<; then \
		sed -e '/^@TABLES@$$/{' -e 'r $(B)/completion/tables.$*' -e d -e '}' $<; \
		else cat $(B)/completion/tables.$* $<; fi >$@.new
	$(Q)mv $@.new $@

# The lists in the manual that come from tables; a test says where they are not current.
.PHONY: man-update
man-update: $(B)/tables
	@scripts/man-lists --update $(B)/tables

# Unit tests: tests/unit/FLOOR_NAME.c links the archives of FLOOR and below.
UNIT_SRCS := $(wildcard tests/unit/*.c)
UNIT_BINS := $(patsubst tests/unit/%.c,$(B)/unit/%,$(UNIT_SRCS))
unit_floor = $(firstword $(subst _, ,$(1)))
below	= $(if $(filter $(1),$(firstword $(2))),$(1),$(firstword $(2)) $(call below,$(1),$(wordlist 2,99,$(2))))
reverse	= $(if $(1),$(call reverse,$(wordlist 2,99,$(1))) $(firstword $(1)))
unit_archives = $(call archives,$(call reverse,$(call below,$(call unit_floor,$(1)),$(FLOORS))))
ALL_LIBS := -lbpf -luv -lmnl -ljansson -lseccomp -lpcap -linih -lcrypto -lmicrohttpd

.SECONDARY: $(BPF_OBJS)
# The case runner and its backends: a unit program takes from it what it names.
CASE_OBJS := $(patsubst tests/%,$(B)/o/tests/%.o,$(wildcard tests/cases/*.c))

$(B)/o/tests/%.c.o: tests/%.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/a/cases.a: $(CASE_OBJS)
	@mkdir -p $(@D); rm -f $@
	$(Q)$(AR) rcs $@ $^

.SECONDEXPANSION:
$(B)/unit/%: tests/unit/%.c $(B)/a/cases.a $$(call unit_archives,$$*) Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo "  UNIT    $*")
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -MF $@.d -Itests/lib -Itests/cases $(ALL_LDFLAGS) -o $@ $< \
		$(B)/a/cases.a $(call unit_archives,$*) -lcmocka $(ALL_LIBS)

# Programs that system tests drive parts with: tests/lib/FLOOR_NAME.c
$(B)/test/%: tests/lib/%.c $$(call unit_archives,$$*) Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -MF $@.d $(ALL_LDFLAGS) -o $@ $< \
		$(call unit_archives,$*) $(ALL_LIBS)

# Those that run packet cases beside the kernel's drivers: tests/interop/FLOOR_NAME.c
$(B)/test/interop/%: tests/interop/%.c $(B)/a/cases.a $$(call unit_archives,$$*) Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -MF $@.d $(ALL_LDFLAGS) -o $@ $< \
		$(B)/a/cases.a $(call unit_archives,$*) $(ALL_LIBS)

# Runs a program's main() for many calls, where exec is dear.
$(B)/test/forkserver.so: tests/interop/forkserver.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE $(WARN) -O2 -shared -fPIC -o $@ $<

# What benchmarks put load on with, a tunnel to compare with, and a plugin of qemu's.
BENCH_BINS := $(patsubst tests/bench/%.c,$(B)/bench/%,$(filter-out %/insns.c,$(wildcard tests/bench/*.c)))

$(B)/bench/%: tests/bench/%.c $(wildcard tests/bench/*.h) Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE $(WARN) -O2 -o $@ $<

$(B)/bench/insns.so: tests/bench/insns.c tests/bench/marker.h Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE $(WARN) -O2 -shared -fPIC -o $@ $<

.PHONY: bench-programs
bench-programs: $(BENCH_BINS) $(B)/bench/insns.so

.PHONY: unit
unit: $(UNIT_BINS)

# Fuzz targets: tests/fuzz/NAME.c, with archives that are instrumented too:
#	make B=build/clang CC=clang SAN=1 XFLAGS=-fsanitize=fuzzer-no-link fuzzers
FUZZ_SRCS := $(wildcard tests/fuzz/*.c)
FUZZ_BINS := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(FUZZ_SRCS))
ALL_ARCHIVES := $(call archives,$(call reverse,$(FLOORS)))

$(B)/fuzz/%: tests/fuzz/%.c $(ALL_ARCHIVES) Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo "  FUZZ    $*")
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-missing-prototypes -fsanitize=fuzzer -MMD -MP -MF $@.d \
		$(ALL_LDFLAGS) -o $@ $< $(ALL_ARCHIVES) $(ALL_LIBS)

.PHONY: fuzzers
fuzzers: $(FUZZ_BINS)

# Where things go, a word FROM:TO a file. The personality lies in a folder of its own, so
# that nobody gets it who did not put that folder into PATH. Texts name the prefix.
INSTALL	?= install
UNITDIR	?= $(if $(filter /usr,$(PREFIX)),/lib/systemd/system,$(PREFIX)/lib/systemd/system)
SHARE	= $(PREFIX)/share
to	= $(foreach f,$(1),$(f):$(2)/$(notdir $(f)))
PROGRAMS_TO = $(B)/tunl:$(PREFIX)/bin/tunl $(B)/tunld:$(PREFIX)/sbin/tunld \
	$(B)/bin/ip:$(PREFIX)/lib/tunl/bin/ip
# the labs, for people to copy and change (the program has them embedded)
TEXTS_TO = $(foreach m,$(wildcard man/*.[1-9]),$(call to,$(m),$(SHARE)/man/man$(subst .,,$(suffix $(m))))) \
	$(call to,$(wildcard packaging/*.service packaging/*.socket),$(UNITDIR)) \
	packaging/tunl.sysusers:$(PREFIX)/lib/sysusers.d/tunl.conf \
	$(B)/completion/tunl.bash:$(SHARE)/bash-completion/completions/tunl \
	$(B)/completion/tunl.zsh:$(if $(filter /usr,$(PREFIX)),$(SHARE)/zsh/vendor-completions,$(SHARE)/zsh/site-functions)/_tunl \
	$(call to,$(LABS),$(SHARE)/tunl/labs) \
	$(call to,packaging/tunl.conf.example $(wildcard packaging/*.json packaging/*.rules),$(SHARE)/tunl)

install: all
	@$(SUBMAKE) install-files

.PHONY: install-files completion
completion: $(COMPLETION)

install-files: programs completion
	$(Q)for f in $(PROGRAMS_TO); do \
		$(INSTALL) -D -m 755 $${f%%:*} $(DESTDIR)$${f#*:} || exit 1; done
	$(Q)for f in $(TEXTS_TO); do to=$(DESTDIR)$${f#*:}; \
		$(INSTALL) -d $${to%/*} && sed 's|/usr/local|$(PREFIX)|g' $${f%%:*} >$$to && \
		chmod 644 $$to || exit 1; done

uninstall:
	rm -f $(foreach f,$(PROGRAMS_TO) $(TEXTS_TO),$(DESTDIR)$(lastword $(subst :, ,$(f))))
	-for d in lib/tunl/bin lib/tunl share/tunl/labs share/tunl; do \
		rmdir $(DESTDIR)$(PREFIX)/$$d 2>/dev/null || :; done

# Debian's package, in $(B)/deb, from what git has; lintian's verdict on it.
.PHONY: deb
deb:
	@scripts/deps build deb
	@scripts/deb $(B)/deb

# The server of the metrics, with a dashboard and a unit to copy: it is off by default.
LIBDIR	= $(DESTDIR)$(PREFIX)/lib/tunl
METRICSDIR = $(DESTDIR)$(PREFIX)/share/tunl/metrics

.PHONY: install-metrics uninstall-metrics
install-files: install-metrics
uninstall: uninstall-metrics

install-metrics: programs
	$(INSTALL) -d $(LIBDIR) $(METRICSDIR)
	$(INSTALL) -m 755 $(B)/tunl-metrics $(LIBDIR)/tunl-metrics
	$(INSTALL) -m 644 packaging/metrics/grafana-dashboard.json $(METRICSDIR)
	sed 's|/usr/local|$(PREFIX)|g' packaging/metrics/tunl-metrics.service >$(METRICSDIR)/tunl-metrics.service
	chmod 644 $(METRICSDIR)/tunl-metrics.service

uninstall-metrics:
	rm -f $(LIBDIR)/tunl-metrics
	rm -rf $(METRICSDIR)
	-rmdir $(LIBDIR) $(DESTDIR)$(PREFIX)/share/tunl 2>/dev/null

clean:
	rm -rf $(B)

-include $(shell find $(B)/o $(B)/bpf $(B)/unit $(B)/fuzz -name '*.d' 2>/dev/null)
