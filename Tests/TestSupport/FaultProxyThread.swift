import Foundation

/// The work of one of a `FaultProxy`'s threads.
struct FaultProxyThread {
    let core: FaultProxyCore

    func acceptAll() {
        while !core.isEnding {
            let client = accept(core.listener, nil, nil)
            guard client >= 0 else { continue }
            core.add(client)
            core.start { $0.serve(client) }
        }
    }

    func serve(_ client: Int32) {
        defer { core.remove(client) }
        var reader = HTTPMessageReader(client)
        while let head = reader.readHead() {
            guard pass(head, &reader, client) else { return }
        }
    }

    /// Handles one request; false when the connection is over.
    private func pass(_ head: HTTPMessageHead, _ reader: inout HTTPMessageReader, _ client: Int32) -> Bool {
        let length = head.contentLength
        guard let fault = core.fault(for: head) else {
            guard let body = reader.readBody(length), let answer = ask(head.bytes + body) else { return false }
            return Socket.write(answer, to: client)
        }
        switch fault {
        case .refuse:
            Socket.resetOnClose(client)
            return false
        case .cutBody:
            guard let body = reader.readBody(length / 2), let server = connectToServer() else { return false }
            _ = Socket.write(head.bytes + body, to: server)
            Socket.resetOnClose(server)
            Socket.resetOnClose(client)
            core.remove(server)
            return false
        case .dropAnswer:
            guard let body = reader.readBody(length) else { return false }
            _ = ask(head.bytes + body)
            return false
        case .deliverTwice:
            guard let body = reader.readBody(length), ask(head.bytes + body) != nil, let answer = ask(head.bytes + body) else {
                return false
            }
            return Socket.write(answer, to: client)
        case .answerItself(let status):
            guard reader.readBody(length) != nil else { return false }
            return Socket.write([UInt8]("HTTP/1.1 \(status) Fault\r\nContent-Length: 6\r\n\r\nfault\n".utf8), to: client)
        case .exceptionHeader(let code):
            guard let body = reader.readBody(length), ask(head.bytes + body) != nil else { return false }
            let answer = "HTTP/1.1 200 OK\r\nX-ClickHouse-Exception-Code: \(code)\r\nContent-Length: 0\r\n\r\n"
            return Socket.write([UInt8](answer.utf8), to: client)
        case .stall:
            guard reader.readBody(length) != nil else { return false }
            reader.waitForEnd()
            return false
        case .deliverLate(let seconds):
            guard let body = reader.readBody(length) else { return false }
            reader.waitForEnd()
            let due = Date().addingTimeInterval(seconds)
            while Date() < due, !core.isEnding { usleep(5_000) }
            guard !core.isEnding else { return false }
            _ = ask(head.bytes + body)
            core.state.withLock { $0.lateDeliveries += 1 }
            return false
        }
    }

    private func connectToServer() -> Int32? {
        guard let server = Socket.connect(port: core.serverPort) else { return nil }
        core.add(server)
        return server
    }

    /// Sends a request over a connection of its own; the whole answer, with its connection made to look kept open.
    private func ask(_ request: [UInt8]) -> [UInt8]? {
        guard let server = connectToServer() else { return nil }
        defer { core.remove(server) }
        guard Socket.write(HTTPMessageHead.replacing("Connection", by: "close", in: request), to: server) else { return nil }
        let answer = Socket.readAll(from: server)
        return answer.isEmpty ? nil : HTTPMessageHead.replacing("Connection", by: "keep-alive", in: answer)
    }
}
