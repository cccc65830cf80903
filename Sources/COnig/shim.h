#include <oniguruma.h>
#include <stddef.h>
#include <string.h>

// The few calls that Swift needs, with what it cannot import (macros, mutable globals) hidden inside.

enum { grao_onig_message_length = ONIG_MAX_ERROR_MESSAGE_LEN };

static inline int grao_onig_initialize(void) {
  OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
  return onig_initialize(encodings, 1);
}

static inline void grao_onig_message(int code, OnigErrorInfo *info, char *message) {
  UChar text[ONIG_MAX_ERROR_MESSAGE_LEN + 1];
  int length = onig_error_code_to_str(text, code, info);
  memcpy(message, text, (size_t)length);
  message[length] = 0;
}

// A compiled UTF-8 pattern, or NULL and a message of at most grao_onig_message_length bytes and a final 0.
static inline OnigRegex grao_onig_new(const unsigned char *pattern, size_t length, char *message) {
  OnigRegex regex = NULL;
  OnigErrorInfo info;
  int code = onig_new(&regex, pattern, pattern + length, ONIG_OPTION_NONE, ONIG_ENCODING_UTF8, ONIG_SYNTAX_DEFAULT,
                      &info);
  if (code == ONIG_NORMAL) return regex;
  grao_onig_message(code, &info, message);
  return NULL;
}

// The first match at or after `from` in `length` bytes of UTF-8: 1 and its borders, 0 where there is none, or -1 and a
// message.
static inline int grao_onig_search(OnigRegex regex, const unsigned char *text, size_t length, size_t from,
                                   OnigRegion *region, size_t *start, size_t *end, char *message) {
  int code = onig_search(regex, text, text + length, text + from, text + length, region, ONIG_OPTION_NONE);
  if (code == ONIG_MISMATCH) return 0;
  if (code < 0) {
    grao_onig_message(code, NULL, message);
    return -1;
  }
  *start = (size_t)region->beg[0];
  *end = (size_t)region->end[0];
  return 1;
}
