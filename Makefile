# Sluice: webhook intake for PostgreSQL. `make help` lists the targets.
#
# Out of tree: everything built lies in build/<variant>/. A change of flags rebuilds (the stamp).

VERSION := 0.1.0

# ---- the rooms of fcgi-app, bottom to top: a room includes headers of earlier rooms only ----
# `make lint` (tests/lint) proves this order and that each third-party header has one owner.
ROOMS := base json config key http model pg commit store intake server settings ctl programs

# ---- variants ----
# SAN=address,undefined builds with sanitizers in a directory of its own, COVERAGE=1 with gcov's
# counters.
SAN ?=
COVERAGE ?=
comma := ,
VARIANT := $(if $(SAN),san-$(subst $(comma),-,$(SAN)),$(if $(COVERAGE),coverage,release))
BUILD := build/$(VARIANT)

prefix ?= /usr/local
sbindir ?= $(prefix)/sbin
bindir ?= $(prefix)/bin
mandir ?= $(prefix)/share/man
datadir ?= $(prefix)/share/sluice
completiondir ?= $(prefix)/share/bash-completion/completions
sysconfdir ?= /etc

# @sbindir@ and the like in manuals and operators' files are the directories of this installation.
PLACES := $(foreach d,sbindir bindir datadir sysconfdir,-e 's,@$d@,$($d),g')

CC ?= cc
INSTALL ?= install

# ---- flags, each with its reason ----
PG_INCLUDE := $(shell pg_config --includedir 2>/dev/null || echo /usr/include/postgresql)
# -iquote, not -I: a module may be named like a system header (model/signal.h).
CPPFLAGS_ALL := -iquote fcgi-app -D_POSIX_C_SOURCE=200809L -DSLUICE_VERSION='"$(VERSION)"' \
	-DSLUICE_DATADIR='"$(datadir)"' -isystem $(PG_INCLUDE) -MMD -MP

# $(call probe,FLAG): the flag if the compiler knows it for its target, else nothing.
probe = $(shell $(CC) -Werror $(1) -x c -c /dev/null -o /dev/null 2>/dev/null && echo '$(1)')

WARN := -Wall -Wextra
WARN += -Wshadow                              # a name means one thing
WARN += -Wconversion -Wsign-conversion        # lengths and limits must not wrap
WARN += -Wstrict-prototypes -Wmissing-prototypes # every exported function has its header
WARN += -Wpointer-arith -Wcast-qual -Wwrite-strings # const stays const
WARN += -Wundef -Wvla -Wformat=2              # no surprises from macros, stacks and formats
WARN += -Wswitch-enum -Wimplicit-fallthrough  # every case is meant
WARN += -Wno-missing-field-initializers       # members that are not named are zero, on purpose
# Warnings stop the project's own checks, not a user's build with a newer compiler.
WARN += $(if $(WERROR),-Werror)

HARDEN := -fPIE $(call probe,-fstack-protector-strong)
HARDEN += $(call probe,-fstack-clash-protection)
HARDEN += $(call probe,-fcf-protection)       # x86 only
HARDEN += $(call probe,-mbranch-protection=standard) # arm64 only
# A packager's own level wins; sanitizers and fortified functions do not mix, and without
# optimisation there are none.
HARDEN += $(if $(SAN)$(COVERAGE)$(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,-D_FORTIFY_SOURCE=2)
OPTIMISE := $(if $(SAN),-O1 -fno-omit-frame-pointer -fsanitize=$(SAN) -fno-sanitize-recover=all,-O2)
OPTIMISE := $(if $(COVERAGE),-O0 --coverage,$(OPTIMISE))
CFLAGS ?= -g
CFLAGS_ALL := -std=c17 $(OPTIMISE) $(HARDEN) $(WARN) $(CFLAGS)
LDFLAGS_ALL := -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed \
	$(if $(SAN),-fsanitize=$(SAN)) $(if $(COVERAGE),--coverage) $(LDFLAGS)

LIBS := -lpq -lcrypto -lz -ljson-c

# `make V=1` shows the commands; else each prints one short line.
Q := $(if $(V),,@)
say = $(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),,@printf '  %-4s %s\n' '$(1)' '$(2)')

# ---- building ----
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.PHONY: all help deps run demo check check-unit check-sql check-e2e check-fronts check-san \
	check-fresh check-package check-builds check-steady unit-tests coverage coverage-run mutate programs check-faults check-faults-quick fuzz check-fuzz fuzz-programs \
	stress soak bench bench-quick bench-json check-instructions record-instructions lint format install uninstall deb clean FORCE

INTAKE_BIN := $(BUILD)/sluice-intake
SETTINGS_BIN := $(BUILD)/sluice-settings
TOOL_BIN := $(BUILD)/sluicectl
MAN_PAGES := $(BUILD)/man/sluice-intake.8 $(BUILD)/man/sluice-settings.8 $(BUILD)/man/sluicectl.1 $(BUILD)/man/sluice.conf.5

all: programs $(MAN_PAGES)  ## build the programs and the man pages
programs: $(INTAKE_BIN) $(SETTINGS_BIN) $(TOOL_BIN)

# One library of all rooms; a program takes of it what it needs.
SOURCES := $(filter-out fcgi-app/programs/%,$(wildcard $(ROOMS:%=fcgi-app/%/*.c)))
OBJECTS := $(SOURCES:fcgi-app/%.c=$(BUILD)/obj/%.o)
LIBRARY := $(BUILD)/libsluice.a

$(LIBRARY): $(OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(INTAKE_BIN) $(SETTINGS_BIN) $(TOOL_BIN): $(BUILD)/%: $(BUILD)/obj/programs/%.o $(LIBRARY)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(BUILD)/obj/%.o: fcgi-app/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CPPFLAGS) $(CFLAGS_ALL) -c -o $@ $<

# Objects depend on this stamp; it changes when the flags or the version do.
FLAGS_NOW := $(CC) $(CPPFLAGS_ALL) $(CPPFLAGS) $(CFLAGS_ALL) $(LDFLAGS_ALL)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' | cmp -s - $@ || \
		printf '%s\n' '$(subst ','\'',$(FLAGS_NOW))' > $@

# sluice.conf(5) lists the settings from the program's own table.
$(BUILD)/man/sluice.conf.5: fcgi-app/man/sluice.conf.5.in $(TOOL_BIN)
	@mkdir -p $(@D)
	@$(TOOL_BIN) config --manual > $@.settings
	@sed -e '/@SETTINGS@/{r $@.settings' -e 'd}' $(PLACES) $< > $@
	@rm -f $@.settings

$(BUILD)/man/%: fcgi-app/man/% $(BUILD)/flags
	@mkdir -p $(@D)
	@sed $(PLACES) $< > $@

# ---- unit tests: one program per tests/unit/ROOM/test_*.c, with counted allocations ----
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*/test_*.c))
UNIT_WRAP := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free,--wrap=_exit
# json-c from its archive, so that its allocations are counted too.
UNIT_LIBS = $(LIBS:-ljson-c=-l:libjson-c.a) -lcheck -lsubunit -lm -lrt -lpthread

$(BUILD)/unit/%.o: tests/unit/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) -iquote tests/unit -DSLUICE_SOURCE_DIR='"$(CURDIR)"' \
		$(if $(COVERAGE),-DUNIT_COVERAGE) $(CFLAGS_ALL) -c -o $@ $<

# These run over a libpq that plays scripts (tests/unit/pg/scripted_libpq.h) instead of the real one.
SCRIPTED := $(patsubst %,$(BUILD)/unit/%,pg/test_connection commit/test_queue commit/test_statement \
	intake/test_bulk store/test_store settings/test_answer settings/test_bearer settings/test_key \
	settings/test_key_change settings/test_member_change settings/test_reject \
	settings/test_reject_kind settings/test_settings settings/test_token \
	server/test_oneshot server/test_scrape \
	$(addprefix ctl/test_,argument export key_change key_find key_test key_volumes maintain person product_org \
	program rejected retention setup signal token top))
$(SCRIPTED): $(patsubst %,$(BUILD)/unit/%.o,pg/scripted_libpq captured_log commit/scripted_database)
$(SCRIPTED): LIBS := $(filter-out -lpq,$(LIBS))
# These read the log.
$(BUILD)/unit/base/test_stats: $(BUILD)/unit/captured_log.o
$(patsubst %,$(BUILD)/unit/server/%,test_request test_listener test_metrics test_reload test_share test_trial): $(BUILD)/unit/captured_log.o

$(UNIT_TESTS): %: %.o $(BUILD)/unit/check_main.o $(LIBRARY)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) $(UNIT_WRAP) -o $@ $(filter %.o,$^) $(LIBRARY) $(UNIT_LIBS)

.SECONDARY:

# ---- fuzzing: one libFuzzer program per tests/fuzz/fuzz_*.c, built by clang in build/fuzz ----
FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_MAKE = $(MAKE) VARIANT=fuzz CC=clang SAN=address,undefined CFLAGS='-g -fsanitize=fuzzer-no-link'
FUZZ_OBJECTS := $(patsubst %,$(BUILD)/fuzz/%.o,fuzz oracle records)
SECONDS ?= 600

$(BUILD)/fuzz/%.o: tests/fuzz/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

$(BUILD)/bin/%: $(BUILD)/fuzz/fuzz_%.o $(FUZZ_OBJECTS) $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $^ $(LIBS)

fuzz-programs: $(patsubst %,$(BUILD)/bin/%,$(FUZZ_TARGETS))

fuzz:  ## fuzz every target for SECONDS=n (600), two at a time
	+$(FUZZ_MAKE) fuzz-programs
	tests/fuzz/run $(SECONDS) $(FUZZ_TARGETS)

check-fuzz:  ## replay the fuzz corpora
	+$(FUZZ_MAKE) fuzz-programs
	tests/fuzz/run replay $(FUZZ_TARGETS)

# ---- tests ----
check: export WERROR := 1
check: lint all  ## all tests: lint, unit, coverage, instructions, fuzz corpora, SQL, end to end; again with sanitizers
	$(MAKE) check-unit
	$(MAKE) check-unit SAN=address,undefined
	$(MAKE) coverage
	$(MAKE) check-instructions
	$(MAKE) check-fuzz
	$(MAKE) check-sql
	$(MAKE) check-e2e
	$(MAKE) check-faults-quick
	$(MAKE) check-e2e SAN=address,undefined

unit-tests: $(UNIT_TESTS)

check-unit: unit-tests  ## unit tests per module (Check)
	@printf '%s\n' $(UNIT_TESTS) | xargs -P "$$(nproc)" -n 1 env

# gcov counts on from run to run, so the counters of the last one go first.
coverage:  ## line coverage of the unit tests by room, held at tests/coverage.floor (E2E=1: of all tests)
	+$(MAKE) COVERAGE=1 coverage-run
	tests/coverage $(if $(E2E),--measure) build/coverage/obj

coverage-run: $(UNIT_TESTS) $(if $(E2E),programs)
	@find $(BUILD) -name '*.gcda' -delete
	$(MAKE) check-unit
	$(if $(E2E),chmod -R a+rwX $(BUILD) && $(MAKE) check-e2e)

# Not optimised, so that a change is compiled, linked and tried in about a second; with the sanitizer,
# because reading behind an array is seldom seen by a test.
MUTATE ?= base json config key http model pg commit intake
SEED ?= 1
mutate: export MUTATE_CFLAGS := -O0 -U_FORTIFY_SOURCE
mutate:  ## change one operator at a time and list what no unit test notices: SECONDS=n (600) SEED=n MUTATE="room room/module"
	+$(MAKE) VARIANT=mutate SAN=undefined CFLAGS='$(MUTATE_CFLAGS)' unit-tests
	tests/mutate --seconds $(SECONDS) --seed $(SEED) build/mutate $(MUTATE)

check-sql: all  ## constraints, grants and functions of the database (pgTAP)
	tests/sql/check

# What a test waits for is mostly not the processor: two more processes than there are processors.
PYTEST := SLUICE_VARIANT=$(VARIANT) /usr/bin/python3 -B -m pytest -q -p no:cacheprovider
SIDE_BY_SIDE := -n $(shell expr $$(nproc) + 2) --dist loadgroup

check-e2e: all  ## end to end through lighttpd and Apache, in part through the other fronts
	$(PYTEST) $(SIDE_BY_SIDE) -m "not slow" tests/e2e

FRONTS := lighttpd apache nginx apache-fcgid cgi cgi-apache
check-fronts: all  ## all end-to-end tests through all fronts; about twenty minutes
	SLUICE_FRONTS="$(FRONTS)" $(PYTEST) -rs $(SIDE_BY_SIDE) tests/e2e

check-faults: all  ## killed, stopped, hanging and unreachable databases, signals, logs; under 30 minutes
	$(PYTEST) -n 3 --dist loadfile -m "not alone" tests/fault
	$(PYTEST) -m alone tests/fault
	$(PYTEST) $(SIDE_BY_SIDE) -m slow tests/e2e

check-faults-quick: all
	$(PYTEST) -n 3 --dist loadfile -m quick tests/fault

# Of this length, unless the command line says another.
stress: SECONDS := 240
stress: all  ## consumers and followers while backends, workers and the server are killed: SECONDS=n (240) SEED=n
	tests/stress/run --seconds $(SECONDS) $(if $(filter-out file,$(origin SEED)),--seed $(SEED))

soak: MINUTES := 60
soak: all  ## mixed traffic while things fail at random; memory and descriptors flat: MINUTES=n (60) SEED=n
	tests/soak/run --minutes $(MINUTES) $(if $(filter-out file,$(origin SEED)),--seed $(SEED))

check-builds:  ## clang, a packager's flags, arm64
	tests/check-builds

check-steady: all  ## the end-to-end tests ten times, five of them on a busy machine; about an hour
	tests/check-steady

check-fresh:  ## the README's two commands in a new Debian root, SUITE=bookworm or trixie (root only)
	tests/check-fresh

check-package:  ## the Debian packages in new Debian roots, web servers and systemd as Debian has them, SUITE=bookworm or trixie (root only)
	tests/check-package

bench: all  ## all benchmarks; about an hour
	deploy/lab/deps bench
	tests/bench/run
	tests/bench/workers
	tests/bench/statement
	tests/bench/bulk
	tests/bench/queue --held
	tests/bench/rules
	tests/bench/claims
	tests/bench/states
	tests/bench/settings
	tests/bench/notifications
	tests/bench/sizes
	tests/bench/lookups

bench-quick: all  ## one short round of the benchmark against peers; under two minutes
	deploy/lab/deps bench
	tests/bench/run --quick

# Built from the modules of the release: what is measured is what is shipped.
BENCH_PROGRAMS := $(BUILD)/bench/json $(BUILD)/bench/instructions
$(BUILD)/bench/json: tests/bench/json/bench.c
$(BUILD)/bench/instructions: tests/bench/instructions/instructions.c
$(BENCH_PROGRAMS): tests/bench/bench_texts.h $(LIBRARY) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $(filter %.c,$^) $(LIBRARY) $(LIBS)

bench-json: $(BUILD)/bench/json  ## the JSON pass, signals and templates against json-c's parser
	$<

check-instructions: $(BUILD)/bench/instructions  ## instructions of a request without the database, held at the recorded counts
	tests/bench/instructions/check $<

record-instructions: $(BUILD)/bench/instructions  ## record the present instruction counts as the expected ones
	tests/bench/instructions/check --record $<

# clang-tidy takes a second a file: what it has passed is not read again until it changes.
TIDY := $(patsubst fcgi-app/%.c,build/tidy/%,$(wildcard fcgi-app/*/*.c))
$(TIDY): build/tidy/%: fcgi-app/%.c .clang-tidy $(wildcard fcgi-app/*/*.h)
	@mkdir -p $(@D)
	$(call say,TIDY,$<)
	$(Q)clang-tidy --quiet $< -- -std=c17 $(CPPFLAGS_ALL) >$@.log 2>/dev/null || { cat $@.log; exit 1; }
	@touch $@

lint: $(TIDY)  ## rooms, owners of headers, sizes, formatting; clang-tidy, cppcheck; scripts, Python, page, SQL, manuals
	@tests/lint $(ROOMS)

format:  ## format all C
	clang-format -i $(wildcard fcgi-app/*/*.[ch] tests/*/*.[ch] tests/*/*/*.[ch])

# ---- running ----
deps:  ## install what is missing to build, run and test (Debian packages)
	deploy/lab/deps test

run: all  ## a stack in the foreground with a demo key; Ctrl-C ends it
	deploy/lab/run

demo: all  ## the walk-through on both web servers, checked, unattended
	deploy/lab/demo

# ---- installing ----
# What operators include or copy, by its place below deploy/.
OPERATOR_FILES := sluice.conf.example openapi.yaml $(shell cd deploy && find \
	lighttpd apache nginx fail2ban systemd sysusers.d tmpfiles.d cron prometheus templates -type f ! -name README.md)

install: all  ## install under $(prefix), honouring DESTDIR
	$(INSTALL) -D -m 755 $(INTAKE_BIN) "$(DESTDIR)$(sbindir)/sluice-intake"
	$(INSTALL) -D -m 755 $(SETTINGS_BIN) "$(DESTDIR)$(sbindir)/sluice-settings"
	$(INSTALL) -D -m 755 $(TOOL_BIN) "$(DESTDIR)$(bindir)/sluicectl"
# What a release no longer has must not be applied again from what the one before has left.
	rm -f "$(DESTDIR)$(datadir)"/sql-migrations/*.sql "$(DESTDIR)$(datadir)"/sql-migrations/*/*.sql
	for d in . views functions; do \
		$(INSTALL) -d "$(DESTDIR)$(datadir)/sql-migrations/$$d" && $(INSTALL) -m 644 \
			sql-migrations/$$d/*.sql "$(DESTDIR)$(datadir)/sql-migrations/$$d/" || exit 1; done
	$(INSTALL) -d "$(DESTDIR)$(datadir)/web/style"
	$(INSTALL) -m 644 fcgi-app/web/*.html fcgi-app/web/*.js fcgi-app/web/*.svg "$(DESTDIR)$(datadir)/web/"
	$(INSTALL) -m 644 fcgi-app/web/style/*.css "$(DESTDIR)$(datadir)/web/style/"
	for f in $(OPERATOR_FILES); do \
		$(INSTALL) -D -m 644 /dev/null "$(DESTDIR)$(datadir)/$$f" && \
		sed $(PLACES) deploy/$$f >"$(DESTDIR)$(datadir)/$$f" || exit 1; done
	$(INSTALL) -D -m 644 deploy/completion/sluicectl.bash "$(DESTDIR)$(completiondir)/sluicectl"
	$(INSTALL) -D -m 644 $(BUILD)/man/sluicectl.1 "$(DESTDIR)$(mandir)/man1/sluicectl.1"
	$(INSTALL) -D -m 644 $(BUILD)/man/sluice.conf.5 "$(DESTDIR)$(mandir)/man5/sluice.conf.5"
	for m in sluice-intake.8 sluice-settings.8; do \
		$(INSTALL) -D -m 644 $(BUILD)/man/$$m "$(DESTDIR)$(mandir)/man8/$$m" || exit 1; done

# Copies in /etc that the operator has not edited go, too, and their units are stopped and disabled.
SYSTEMCTL := command -v systemctl >/dev/null && systemctl
uninstall:  ## remove what install put there, units and cron file; configuration and data stay
	for f in "$(DESTDIR)$(datadir)"/systemd/sluice-*; do \
		unit=$${f##*/}; copy="$(DESTDIR)/etc/systemd/system/$$unit"; \
		cmp -s "$$f" "$$copy" || continue; \
		[ -n "$(DESTDIR)" ] || { $(SYSTEMCTL) stop "$$(echo "$$unit" | sed "s/@\\./@*./")"; } 2>/dev/null; \
		$(SYSTEMCTL) --root="$(DESTDIR)/" --quiet disable "$$unit"; \
		rm -f "$$copy"; done
	cmp -s "$(DESTDIR)$(datadir)/cron/sluice" "$(DESTDIR)/etc/cron.d/sluice" && \
		rm -f "$(DESTDIR)/etc/cron.d/sluice" || true
	[ -n "$(DESTDIR)" ] || { $(SYSTEMCTL) daemon-reload; } 2>/dev/null || true
	rm -f "$(DESTDIR)$(sbindir)/sluice-intake" "$(DESTDIR)$(sbindir)/sluice-settings"
	rm -f "$(DESTDIR)$(bindir)/sluicectl"
	rm -f "$(DESTDIR)$(mandir)/man1/sluicectl.1" "$(DESTDIR)$(mandir)/man5/sluice.conf.5"
	rm -f "$(DESTDIR)$(mandir)/man8/sluice-intake.8" "$(DESTDIR)$(mandir)/man8/sluice-settings.8"
	rm -f "$(DESTDIR)$(completiondir)/sluicectl"
	rm -rf "$(DESTDIR)$(datadir)"

deb:  ## Debian packages in build/deb, with a bill of materials (SPDX) of each
	deploy/debian/build build/deb

clean:  ## remove everything built
	rm -rf build

help:  ## print this list
	@sed -n 's/^\([a-z0-9-]*\):.*##  */\1\t/p' Makefile | expand -t 20

FORCE:

-include $(wildcard $(BUILD)/obj/*/*.d $(BUILD)/unit/*.d $(BUILD)/unit/*/*.d $(BUILD)/fuzz/*.d)
