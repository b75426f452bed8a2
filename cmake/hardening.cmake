# What makes a fault in the code hard to use for an attack, as far as compiler and linker know it: bounds looked at by
# libc, canaries, stacks that cannot be stepped over, jumps only to where jumps may go, addresses that nobody knows
# beforehand, tables that cannot be written once the program runs, no stack that can be executed. A test reads it
# from what was built (tests/tool/hardening.sh). It costs less than can be measured (docs/trust.md).
include(CheckCCompilerFlag)
include(CheckCSourceCompiles)
include(CheckPIESupported)

function(blastmerge_harden target)
  set(optimized $<OR:$<CONFIG:Release>,$<CONFIG:RelWithDebInfo>,$<CONFIG:MinSizeRel>>)

  # glibc warns where it does not know the level; without optimization there is none at all.
  set(CMAKE_REQUIRED_FLAGS "-O2 -Werror -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3")
  check_c_source_compiles("#include <string.h>\nint main(void) { return (int)strlen(\"\"); }" BLASTMERGE_FORTIFIES_3)
  unset(CMAKE_REQUIRED_FLAGS)
  set(level 2)
  if(BLASTMERGE_FORTIFIES_3)
    set(level 3)
  endif()
  target_compile_options(${target} INTERFACE $<${optimized}:-U_FORTIFY_SOURCE> $<${optimized}:-D_FORTIFY_SOURCE=${level}>)

  set(flags -fstack-protector-strong -fstack-clash-protection)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|i.86)$")
    list(APPEND flags -fcf-protection)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    list(APPEND flags -mbranch-protection=standard)
  endif()
  foreach(flag ${flags})
    string(MAKE_C_IDENTIFIER "BLASTMERGE_HAS${flag}" known)
    set(CMAKE_REQUIRED_FLAGS -Werror)
    check_c_compiler_flag(${flag} ${known})
    unset(CMAKE_REQUIRED_FLAGS)
    if(${known})
      target_compile_options(${target} INTERFACE ${flag})
    endif()
  endforeach()

  foreach(flag -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
    string(MAKE_C_IDENTIFIER "BLASTMERGE_HAS${flag}" known)
    set(CMAKE_REQUIRED_LINK_OPTIONS ${flag})
    check_c_source_compiles("int main(void) { return 0; }" ${known})
    unset(CMAKE_REQUIRED_LINK_OPTIONS)
    if(${known})
      target_link_options(${target} INTERFACE ${flag})
    endif()
  endforeach()
endfunction()

# CMAKE_POSITION_INDEPENDENT_CODE says so to the linker, too.
check_pie_supported(LANGUAGES C)
