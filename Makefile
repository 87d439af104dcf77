# A thin front for CMake: `make help` lists what it does. On Debian 12 it installs what is missing.

# The prompt is taken as it stands ("$$" means nothing here) and reaches the program in the environment,
# so that no shell reads it.
ifneq ($(origin PROMPT),undefined)
override PROMPT := $(value PROMPT)
export PROMPT
endif

.PHONY: help run test build asan tsan format clean

help:
	@echo 'make run               build Forge and have its bundled model write a story'
	@echo 'make run PROMPT="..."  continue a text of yours'
	@echo 'make build             build only; the program is build/release/forge'
	@echo 'make test              build everything and run every test'
	@echo 'make asan              run the tests under AddressSanitizer and UBSan (clang 14)'
	@echo 'make tsan              run the tests under ThreadSanitizer (clang 14)'
	@echo 'make format            lay out the C++ files with clang-format 14'
	@echo 'make clean             delete build/'

build:
	@tools/install_deps.sh
	@tools/build.sh release forge

run: build
	@build/release/forge generate --model bundled --echo --prompt="$${PROMPT:-Once upon a time}"

test:
	@tools/install_deps.sh test
	@tools/install_python.sh
	@tools/install_node.sh
	@tools/build.sh release all
	@tools/run_tests.sh release
	@tools/test_summary.sh build/release/tests.xml

asan tsan:
	@tools/install_deps.sh ci
	@tools/install_python.sh
	@tools/install_node.sh
	@tools/build.sh $@ all
	@tools/run_tests.sh $@
	@tools/test_summary.sh build/$@/tests.xml

format:
	@tools/install_deps.sh ci
	@tools/check_format.sh --fix

clean:
	rm -rf build
