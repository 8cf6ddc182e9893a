# SPDX-License-Identifier: BSD-2-Clause
#
# The only build file.
#
#	make		build/tunl, build/tunld, build/bin/ip
#	make lab	builds, installs what is needed, and runs the lab on both datapaths
#	make check	all tests
#	make bench fuzz lint install uninstall clean
#
#	B=DIR		where to build (default: build)
#	SAN=1		with AddressSanitizer and UndefinedBehaviorSanitizer
#	CC=clang	another compiler

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
SANFLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
comma	:= ,
HARDEN	:= -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2)
CFLAGS	?= $(OPT)
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -Isrc -DTUNL_VERSION='"$(VERSION)"' \
	   -DTUNL_PREFIX='"$(PREFIX)"' $(WARN) $(HARDEN) $(SANFLAGS) $(CFLAGS) $(XFLAGS)
LDFLAGS	?=
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now $(SANFLAGS) $(LDFLAGS)

# Folders, lowest first: a folder includes only from those before it
# (scripts/check-includes holds it to that).
FLOORS	:= lib wire model mode bpf engine daemon cli lab
TUNL_FLOORS  := lab cli mode model lib
TUNLD_FLOORS := daemon engine bpf mode model lib
TUNL_LIBS    := -ljansson -lpcap -lmnl
TUNLD_LIBS   := -lbpf -luv -lmnl -ljansson -lseccomp

.DEFAULT_GOAL := all
.PHONY: all deps lab check check-quick bench fuzz lint install uninstall clean golden-update

all: deps
	@$(MAKE) --no-print-directory B=$(B) SAN=$(SAN) CC=$(CC) $(B)/tunl $(B)/tunld $(B)/bin/ip

# What is missing from Debian's packages: installed as root, named otherwise.
deps:
	@scripts/deps build

srcs	= $(wildcard src/$(1)/*.c) $(wildcard src/$(1)/*.S)
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

# src/bpf/*.bpf.c are not for the host
$(B)/a/bpf.a: $(filter-out %.bpf.c.o,$(call objs,bpf))

$(B)/tunl: $(B)/o/tunl.c.o $(call archives,$(TUNL_FLOORS))
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TUNL_LIBS)

$(B)/tunld: $(B)/o/tunld.c.o $(call archives,$(TUNLD_FLOORS))
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TUNLD_LIBS)

$(B)/bin/ip: $(B)/tunl
	@mkdir -p $(@D)
	$(Q)ln -sfn ../tunl $@

# Unit tests: tests/unit/FLOOR_NAME.c links the archives of FLOOR and below.
UNIT_SRCS := $(wildcard tests/unit/*.c)
UNIT_BINS := $(patsubst tests/unit/%.c,$(B)/unit/%,$(UNIT_SRCS))
unit_floor = $(firstword $(subst _, ,$(1)))
below	= $(if $(filter $(1),$(firstword $(2))),$(1),$(firstword $(2)) $(call below,$(1),$(wordlist 2,99,$(2))))
reverse	= $(if $(1),$(call reverse,$(wordlist 2,99,$(1))) $(firstword $(1)))
unit_archives = $(call archives,$(call reverse,$(call below,$(call unit_floor,$(1)),$(FLOORS))))
ALL_LIBS := -lbpf -luv -lmnl -ljansson -lseccomp -lpcap

.SECONDEXPANSION:
$(B)/unit/%: tests/unit/%.c $$(call unit_archives,$$*) Makefile
	@mkdir -p $(@D)
	$(if $(V),,@echo "  UNIT    $*")
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -MF $@.d -Itests/lib $(ALL_LDFLAGS) -o $@ $< \
		$(call unit_archives,$*) -lcmocka $(ALL_LIBS)

.PHONY: unit
unit: $(UNIT_BINS)

clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
