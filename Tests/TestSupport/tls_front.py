"""A TLS front of a server on 127.0.0.1: tls_front.py PORT BACKEND CERTIFICATE KEY [CLIENT_AUTHORITY]

Ends TLS and passes bytes on to the backend's port. With CLIENT_AUTHORITY clients have to show a certificate of that authority.
"""
import socket
import ssl
import sys
import threading


def copy(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    finally:
        for side in (source, sink):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def serve(raw, context, backend):
    try:
        with context.wrap_socket(raw, server_side=True) as client, socket.create_connection(("127.0.0.1", backend)) as server:
            answers = threading.Thread(target=copy, args=(server, client))
            answers.start()
            copy(client, server)
            answers.join()
    except OSError:
        raw.close()


def main():
    port, backend = int(sys.argv[1]), int(sys.argv[2])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    if len(sys.argv) > 5:
        context.load_verify_locations(sys.argv[5])
        context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            raw, _ = listener.accept()
            threading.Thread(target=serve, args=(raw, context, backend), daemon=True).start()


main()
