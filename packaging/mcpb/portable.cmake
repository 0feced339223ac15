# fwd for other machines: of theirs it takes glibc alone. Made of the same objects as fwd (`ninja fwd_portable`, in portable/fwd).
find_library(FWD_JSON_ARCHIVE libboost_json.a)
find_library(FWD_CONTAINER_ARCHIVE libboost_container.a)
find_library(FWD_TERMINFO_ARCHIVE libtinfo.a)
find_path(FWD_FMT_SOURCE fmt/format-inl.h)
if(FWD_JSON_ARCHIVE AND FWD_CONTAINER_ARCHIVE AND FWD_TERMINFO_ARCHIVE AND FWD_FMT_SOURCE AND NOT FWD_SANITIZE)
  add_executable(fwd_portable EXCLUDE_FROM_ALL $<TARGET_OBJECTS:fwd> packaging/mcpb/fmt_here.cpp)
  set_target_properties(fwd_portable PROPERTIES OUTPUT_NAME fwd RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/portable)
  add_dependencies(fwd_portable fwd_bridge fwd_mcp fwd_common)
  # Files and not targets: a target would bring the shared libraries that it is linked to otherwise.
  target_link_libraries(fwd_portable PRIVATE fwd_flags -static-libstdc++ -static-libgcc -s -Wl,--start-group $<TARGET_FILE:fwd_bridge>
    $<TARGET_FILE:fwd_mcp> $<TARGET_FILE:fwd_common> ${FWD_JSON_ARCHIVE} ${FWD_CONTAINER_ARCHIVE} ${FWD_TERMINFO_ARCHIVE} -Wl,--end-group)
else()
  add_custom_target(fwd_portable COMMENT "fwd_portable: left out, as archives are missing or sanitizers are on")
endif()
