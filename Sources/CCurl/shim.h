#pragma once
#include <curl/curl.h>
#include <signal.h>
#include <sys/socket.h>

// curl_easy_setopt and curl_easy_getinfo take variable arguments, which Swift can't call: one function a type.

static inline CURLcode tidemark_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode tidemark_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode tidemark_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode tidemark_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode tidemark_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}

typedef size_t (*tidemark_curl_data_callback)(char *data, size_t size, size_t count, void *context);
typedef int (*tidemark_curl_seek_callback)(void *context, curl_off_t offset, int origin);
typedef int (*tidemark_curl_progress_callback)(void *context, curl_off_t download_total, curl_off_t downloaded,
                                               curl_off_t upload_total, curl_off_t uploaded);
typedef int (*tidemark_curl_socket_callback)(void *context, curl_socket_t socket, curlsocktype purpose);

static inline CURLcode tidemark_curl_set_data_callback(CURL *handle, CURLoption option, tidemark_curl_data_callback value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode tidemark_curl_set_seek_callback(CURL *handle, tidemark_curl_seek_callback value) {
    return curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, value);
}

static inline CURLcode tidemark_curl_set_progress_callback(CURL *handle, tidemark_curl_progress_callback value) {
    return curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, value);
}

static inline CURLcode tidemark_curl_set_socket_callback(CURL *handle, tidemark_curl_socket_callback value) {
    return curl_easy_setopt(handle, CURLOPT_SOCKOPTFUNCTION, value);
}

static inline CURLcode tidemark_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode tidemark_curl_get_offset(CURL *handle, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(handle, info, value);
}

/// Closing the socket, also by the end of the process, resets the connection and drops what was not sent yet.
static inline int tidemark_reset_on_close(curl_socket_t descriptor) {
    struct linger reset = {1, 0};
    return setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
}

/// Makes writing to a broken connection an error instead of the end of the process, unless the program handles it.
static inline void tidemark_ignore_broken_pipes(void) {
    struct sigaction current;
    if (sigaction(SIGPIPE, 0, &current) == 0 && current.sa_handler == SIG_DFL) signal(SIGPIPE, SIG_IGN);
}
