# SPDX-License-Identifier: MIT
# blastmerge for vcpkg, as an overlay port: vcpkg install blastmerge --overlay-ports=packaging/vcpkg. Not run here.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
set(cloud OFF)
if("cloud" IN_LIST FEATURES)
  set(cloud linked)
endif()
set(index OFF)
if("index" IN_LIST FEATURES)
  set(index linked)
endif()
vcpkg_cmake_configure(SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS -DBLASTMERGE_CLOUD=${cloud} -DBLASTMERGE_SQLITE=${index} -DBLASTMERGE_DECOMPRESS=OFF)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/blastmerge)
vcpkg_copy_tools(TOOL_NAMES blastmerge AUTO_CLEAN)
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
