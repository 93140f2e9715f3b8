// UDP echo with as little of its own work as there can be: many datagrams for each system call.
//   udp-echo serve PORT
//   udp-echo load SOURCE DESTINATION PORT SIZE WINDOW SECONDS
// The load keeps WINDOW datagrams on their way and sends the next for each that returns, so that it goes as fast as what lies
// between takes it.  When nothing has returned for 50 ms, those on their way are taken for lost.  It prints one line of JSON.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

constexpr int BATCH = 64;
constexpr int LARGEST = 2048;
constexpr int BUFFER = 8 << 20;
constexpr timeval PATIENCE{0, 50'000};

[[noreturn]] void fail(const char* what) {
    std::perror(what);
    std::exit(1);
}

sockaddr_in address_of(const char* host, const char* port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(std::atoi(port)));
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) fail(host);
    return address;
}

int bound_socket(const sockaddr_in& address) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket");
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &BUFFER, sizeof BUFFER);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("bind");
    return fd;
}

/// Buffers for BATCH datagrams, and what recvmmsg(2) and sendmmsg(2) want to know of them.
struct Batch {
    char bytes[BATCH][LARGEST]{};
    sockaddr_in peers[BATCH]{};
    iovec vectors[BATCH]{};
    mmsghdr headers[BATCH]{};

    explicit Batch(size_t size) {
        for (int at = 0; at < BATCH; at += 1) {
            vectors[at] = {bytes[at], size};
            headers[at].msg_hdr.msg_iov = &vectors[at];
            headers[at].msg_hdr.msg_iovlen = 1;
        }
    }
};

int serve(const char* port) {
    int fd = bound_socket(address_of("0.0.0.0", port));
    Batch batch(LARGEST);
    for (;;) {
        for (int at = 0; at < BATCH; at += 1) {
            batch.vectors[at].iov_len = LARGEST;
            batch.headers[at].msg_hdr.msg_name = &batch.peers[at];
            batch.headers[at].msg_hdr.msg_namelen = sizeof(sockaddr_in);
        }
        int count = recvmmsg(fd, batch.headers, BATCH, MSG_WAITFORONE, nullptr);
        if (count < 0) fail("recvmmsg");
        for (int at = 0; at < count; at += 1) batch.vectors[at].iov_len = batch.headers[at].msg_len;
        // What does not fit is lost, as on any network.
        sendmmsg(fd, batch.headers, static_cast<unsigned>(count), 0);
    }
}

int load(char** args) {
    const size_t size = static_cast<size_t>(std::clamp(std::atoi(args[3]), 1, LARGEST));
    const long window = std::atol(args[4]);
    const double seconds = std::atof(args[5]);
    int fd = bound_socket(address_of(args[0], "0"));
    sockaddr_in server = address_of(args[1], args[2]);
    if (connect(fd, reinterpret_cast<sockaddr*>(&server), sizeof server) != 0) fail("connect");
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &PATIENCE, sizeof PATIENCE);

    Batch out(size), in(size);
    using Clock = std::chrono::steady_clock;
    const auto begun = Clock::now();
    const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - begun).count(); };
    long sent = 0, received = 0, lost = 0;
    while (elapsed() < seconds) {
        for (long free = window - (sent - received - lost); free > 0;) {
            int count = sendmmsg(fd, out.headers, static_cast<unsigned>(std::min<long>(free, BATCH)), 0);
            if (count <= 0) break;
            sent += count;
            free -= count;
        }
        int count = recvmmsg(fd, in.headers, BATCH, MSG_WAITFORONE, nullptr);
        if (count > 0) received += count;
        else lost = sent - received;
        // Late ones that had been given up.
        if (sent - received - lost < 0) lost = sent - received;
    }
    std::printf("{\"sent\":%ld,\"received\":%ld,\"seconds\":%.3f}\n", sent, received, elapsed());
    return 0;
}

}  // namespace

int main(int count, char** args) {
    if (count == 3 && std::strcmp(args[1], "serve") == 0) return serve(args[2]);
    if (count == 8 && std::strcmp(args[1], "load") == 0) return load(args + 2);
    std::fputs("usage: udp-echo serve PORT | load SOURCE DESTINATION PORT SIZE WINDOW SECONDS\n", stderr);
    return 2;
}
