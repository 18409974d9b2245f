#pragma once
#include <microhttpd.h>

// MHD_start_daemon and MHD_get_connection_info take variable arguments, which Swift can't call: one function a use.

/// A server with one thread of its own and no listener: it is given connections by MHD_add_connection.
/// poll, not epoll: after exactly 128 events at once the library's epoll waits for another one before it looks at those (0.9.75).
/// `context` is handed to both callbacks. `memory`: bytes a connection, for the request's line and headers and for the answer's.
static inline struct MHD_Daemon *tidemark_http_start(MHD_AccessHandlerCallback answer, MHD_NotifyConnectionCallback notify,
                                                     void *context, unsigned int connections, size_t memory,
                                                     unsigned int idle_seconds) {
    return MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC, 0, 0, 0, answer, context,
                            MHD_OPTION_NOTIFY_CONNECTION, notify, context, MHD_OPTION_CONNECTION_LIMIT, connections,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory, MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds,
                            MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

/// The connection's socket; -1 where there is none.
static inline int tidemark_http_socket(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? (int)info->connect_fd : -1;
}

/// Swift has no name for this enumeration's cases.
static inline int tidemark_http_is_beginning(enum MHD_ConnectionNotificationCode event) {
    return event == MHD_CONNECTION_NOTIFY_STARTED;
}
