# SPDX-License-Identifier: BSD-2-Clause
#
# make demo       install what is missing, build, capture sim:demo and show the result
# make check      install what is missing, build, run the tests
# make            build only            make DEV=1        warnings are errors
# make asan       the tests under AddressSanitizer and UndefinedBehaviorSanitizer
# make check-vm   the tests with a real kernel in QEMU
# make fuzz       the fuzz targets, FUZZ_SECONDS=60 each; make fuzz-coverage says how far they get
# make bench      read rates beside dd and sg_dd, in QEMU
# make install    PREFIX=/usr/local DESTDIR=

VERSION := 0.1.0
PREFIX  ?= /usr/local
CONFIG  ?= release

B := build$(if $(filter-out release,$(CONFIG)),/$(CONFIG))

CC      ?= cc
PKGS    := libusb-1.0 zlib libcrypto libudev json-c inih
ISAL    := $(shell pkg-config --exists libisal 2>/dev/null && echo libisal)

WARN    := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
           -Wformat=2 -Wundef -Wpointer-arith -Wwrite-strings -Wno-missing-field-initializers
CFLAGS  ?= -O2 -g
ALL_CPPFLAGS := -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DUMSCTL_VERSION='"$(VERSION)"' -Isrc -I. \
           $(if $(ISAL),-DHAVE_ISAL) $(CPPFLAGS)
ALL_CFLAGS := -std=gnu11 -pthread $(WARN) $(if $(DEV),-Werror) $(CFLAGS)
LIBS     = -lsgutils2 $(shell pkg-config --libs $(PKGS) $(ISAL)) -lm
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) $(ISAL))

ifeq ($(CONFIG),asan)
ALL_CFLAGS += -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ALL_LDFLAGS += -fsanitize=address,undefined
endif
ALL_LDFLAGS += -pthread $(LDFLAGS)

# Every room but cli/ goes into the library, so that tests and other programs use the same code.
ROOMS    := $(filter-out cli,$(notdir $(patsubst %/,%,$(wildcard src/*/))))
LIB_SRC  := $(foreach room,$(ROOMS),$(wildcard src/$(room)/*.c))
CLI_SRC  := $(wildcard src/cli/*.c)
TEST_SRC := $(wildcard tests/*/test-*.c)
AID_SRC  := $(wildcard tests/aid/*.c)

LIB_OBJ  := $(LIB_SRC:%.c=$B/%.o)
CLI_OBJ  := $(CLI_SRC:%.c=$B/%.o)
AID_OBJ  := $(AID_SRC:%.c=$B/%.o)
TEST_BIN := $(TEST_SRC:%.c=$B/%)
TEST_SH  := $(sort $(filter-out tests/vm/%,$(wildcard tests/*/test-*.sh)))
VM_SH    := $(sort $(wildcard tests/vm/test-*.sh))

comma := ,

V ?= 0
Q  = $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-5s %s\n' $(1) $(2))

all: $B/umsctl

$B/umsctl: $(CLI_OBJ) $B/libumsctl.a
	$(call say,LINK,$@)
	$Q$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$B/libumsctl.a: $(LIB_OBJ)
	$(call say,AR,$@)
	$Qrm -f $@ && ar rcs $@ $^

$B/%.o: %.c
	$(call say,CC,$<)
	$Qmkdir -p $(@D)
	$Q$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(PKG_CFLAGS) -MMD -MP -c -o $@ $<

$B/tests/%: $B/tests/%.o $(AID_OBJ) $B/libumsctl.a
	$(call say,LINK,$@)
	$Q$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LDFLAGS) -lcmocka $(LIBS)

# Answers usbfs through umockdev.
$B/tests/usb/test-libusb: TEST_LDFLAGS = $(shell pkg-config --libs umockdev-1.0)
$B/tests/usb/test-libusb.o: PKG_CFLAGS += $(shell pkg-config --cflags umockdev-1.0)

$B/tests/bench/readrate: $B/tests/bench/readrate.o $B/libumsctl.a
	$(call say,LINK,$@)
	$Q$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# Shows a simulated drive to QEMU; only the tests in a machine need it.
$B/tests/vm/usbredir-server: $B/tests/vm/usbredir-server.o $B/libumsctl.a
	$(call say,LINK,$@)
	$Q$(CC) $(ALL_LDFLAGS) -o $@ $^ -lusbredirparser $(LIBS)

# Tests that stand between the program and the system.
$B/tests/base/test-newfile: TEST_LDFLAGS = -Wl,--wrap=renameat2,--wrap=link,--wrap=fsync
$B/tests/device/test-watch: TEST_LDFLAGS = -Wl,--wrap=fopen64
$B/tests/transport/test-file: TEST_LDFLAGS = -Wl,--wrap=pread64
$B/tests/acquire/test-hosterror: TEST_LDFLAGS = -Wl,--wrap=pread64
$B/tests/image/test-powercut: TEST_LDFLAGS = -Wl,--wrap=pwritev64,--wrap=ftruncate64,--wrap=fdatasync,--wrap=posix_fadvise64
$B/tests/acquire/test-long: TEST_LDFLAGS = -Wl,--wrap=fdatasync,--wrap=pread64
$B/tests/image/test-hostile: TEST_LDFLAGS = \
	$(addprefix -Wl$(comma)--wrap=,pread64 crc32_of inflater_unit memmove malloc calloc realloc reallocarray free)

.PRECIOUS: $B/%.o
-include $(shell find $B -name '*.d' 2>/dev/null)

# --- what a fresh Debian 12 lacks -----------------------------------------------------------------

deps:
	$Qtests/deps.sh build

deps-check:
	$Qtests/deps.sh build check

deps-vm:
	$Qtests/deps.sh build check vm

deps-fuzz:
	$Qtests/deps.sh build fuzz

# --- tests ----------------------------------------------------------------------------------------

JOBS  ?= $(shell nproc)

# Make reads which packages there are when it starts, so what installs them starts it again.
check: deps-check
	$Q$(MAKE) --no-print-directory -j$(JOBS) check-built

check-built: $B/umsctl $(TEST_BIN)
	$QUMSCTL=$(abspath $B/umsctl) tests/check $(JOBS) $B/logs $(TEST_BIN) $(TEST_SH)

asan: deps-check
	$Q$(MAKE) --no-print-directory -j$(JOBS) CONFIG=asan check-built

# Each target runs for FUZZ_SECONDS on its corpus (tests/fuzz/corpus/NAME) and what it finds beyond.
FUZZ_SECONDS ?= 60
FUZZ_SRC  := $(wildcard tests/fuzz/fuzz-*.c)
FUZZ_BIN  := $(FUZZ_SRC:tests/fuzz/%.c=build/fuzz/%)
FUZZ_FLAGS = -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
# Functions that tests/fuzz/aid.c stands before, so that an input may say which allocation fails.
FUZZ_WRAP := $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc reallocarray strdup strndup)

# The library and the targets, once with sanitizers and once to count what is reached.
define fuzz_rules
.PRECIOUS: $(1)/%.o
$(1)/%.o: %.c
	$$(call say,CLANG,$$@)
	$$Qmkdir -p $$(@D)
	$$Qclang $$(ALL_CPPFLAGS) -std=gnu11 -pthread $(2) $$(PKG_CFLAGS) -MMD -MP -c -o $$@ $$<

$(1)/lib.a: $$(LIB_SRC:%.c=$(1)/%.o)
	$$Qrm -f $$@ && ar rcs $$@ $$^

$(1)/fuzz-image: $(1)/tests/fuzz/mutate-image.o

$(1)/fuzz-%: $(1)/tests/fuzz/fuzz-%.o $(1)/tests/fuzz/aid.o $(1)/lib.a
	$$(call say,FUZZ,$$@)
	$$Qclang -pthread $(3) $$(FUZZ_WRAP) -o $$@ $$^ $$(LIBS)
endef
COVERAGE_FLAGS := -O1 -g -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping
$(eval $(call fuzz_rules,build/fuzz,$(FUZZ_FLAGS),$(FUZZ_FLAGS) -fsanitize=fuzzer))
$(eval $(call fuzz_rules,build/fuzz-coverage,$(COVERAGE_FLAGS),$(COVERAGE_FLAGS) -fsanitize=fuzzer))

fuzz: deps-fuzz
	$Q$(MAKE) --no-print-directory -j$(JOBS) $(FUZZ_BIN)
	$Qtests/fuzz/run $(FUZZ_SECONDS) $(FUZZ_BIN)

# What the corpus and FUZZ_RUNS inputs more reach of the files that parse input.
FUZZ_RUNS ?= 20000
fuzz-coverage: deps-fuzz
	$Q$(MAKE) --no-print-directory -j$(JOBS) $(FUZZ_BIN:build/fuzz/%=build/fuzz-coverage/%)
	$Qtests/fuzz/coverage $(FUZZ_RUNS) $(FUZZ_BIN:build/fuzz/%=build/fuzz-coverage/%)

check-vm: deps-vm
	$Q$(MAKE) --no-print-directory -j$(JOBS) all build/tests/vm/usbredir-server
	$QUMSCTL=$(abspath build/umsctl) tests/check 1 build/logs-vm $(VM_SH)

bench: deps-vm
	$Q$(MAKE) --no-print-directory -j$(JOBS) all build/tests/bench/readrate
	$Qtests/bench/bench.sh

demo: deps
	$Q$(MAKE) --no-print-directory -j$(JOBS) all
	$Qtests/demo.sh

format-check:
	$Qclang-format --dry-run --Werror $$(git ls-files '*.c' '*.h')

# --- the rest -------------------------------------------------------------------------------------

MAN := $(wildcard man/*.[1578])

install: all
	install -D -m 755 build/umsctl $(DESTDIR)$(PREFIX)/bin/umsctl
	install -D -m 644 udev/60-umsctl.rules $(DESTDIR)$(PREFIX)/lib/udev/rules.d/60-umsctl.rules
	for page in $(MAN); do \
		install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/} || exit; \
	done
	for file in proto/vendor/*.conf; do \
		install -D -m 644 $$file $(DESTDIR)$(PREFIX)/share/umsctl/vendor/$${file##*/} || exit; \
	done
	build/umsctl completion bash > build/umsctl.bash
	install -D -m 644 build/umsctl.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/umsctl

clean:
	rm -rf build

.PHONY: all deps deps-check deps-vm deps-fuzz fuzz fuzz-coverage check check-built asan check-vm bench demo format-check install clean
