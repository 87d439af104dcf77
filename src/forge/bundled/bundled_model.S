// Places the file FORGE_BUNDLED_MODEL_FILE (a string, from CMake) in the read-only data of the binary.
// The assembler copies it at disk speed; a byte array in C++ would cost the compiler minutes.
    .section .rodata
    .balign 64
    .global forge_bundled_model_begin
    .hidden forge_bundled_model_begin
    .type forge_bundled_model_begin, %object
forge_bundled_model_begin:
    .incbin FORGE_BUNDLED_MODEL_FILE
    .global forge_bundled_model_end
    .hidden forge_bundled_model_end
    .type forge_bundled_model_end, %object
forge_bundled_model_end:
    .byte 0
    .size forge_bundled_model_begin, forge_bundled_model_end - forge_bundled_model_begin
    .size forge_bundled_model_end, 1

// Without this note the linker would make the stack of the whole program executable.
    .section .note.GNU-stack, "", %progbits
