/* upstream.c - fast single-threaded mock LLM upstream (epoll, HTTP/1.1 keep-alive).
 *
 *   cc -O2 -o upstream upstream.c && ./upstream 9100 [max_seconds]
 *
 * Listens on 127.0.0.1 only; exits by itself after max_seconds (default 3600).
 *
 *   POST /v1/chat/completions   OpenAI JSON, or SSE when the body has "stream":true
 *   POST /inference             this project's internal JSON
 *   POST /inference/stream      this project's internal SSE (data: "tok"\n\n ... data: [DONE])
 *   GET  /stats                 counters (JSON);  GET /reset zeroes them; GET /health
 *
 * Behaviour is steered from inside the prompt text, so that it passes through any gateway:
 *   @n=200     tokens per stream (default 200)      @gap=5    ms between tokens (default 0)
 *   @delay=50  ms before the response / first token @die=50   drop the TCP connection after 50 tokens
 *                                                             (or before the reply, for JSON)
 *   @err=500   answer with this status and a JSON error body
 *   @hang=1    never answer
 * Each streamed token is "@T<16-digit CLOCK_MONOTONIC ns> " so a client on the same machine can
 * measure per-token transit time.  One send() per token, TCP_NODELAY.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct conn {
    int fd, idx;
    char *in; size_t inlen, incap;
    char *out; size_t outoff, outlen, outcap;
    int streaming, kind, n, sent, die, want_out, delayed, err, hang, eof;
    uint64_t gap, due;
} conn;

static conn *conns[65536];
static int nconn, ep;
static struct { long conns, json, started, done, aborted, last_abort_tokens, json_aborted; } st;
static uint64_t now_ns(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000000ull + t.tv_nsec; }

static void out_add(conn *c, const char *p, size_t n) {
    if (c->outlen + n > c->outcap) { c->outcap = (c->outlen + n) * 2; c->out = realloc(c->out, c->outcap); }
    memcpy(c->out + c->outlen, p, n); c->outlen += n;
}
static void arm(conn *c, int w) {
    if (c->want_out == w) return;
    c->want_out = w;
    struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP | (w ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}
static void drop(conn *c, int rst) {
    if (c->delayed) st.json_aborted++; /* peer left while its answer was pending (@delay) */
    if (c->streaming && !(c->die && c->sent >= c->die)) { st.aborted++; st.last_abort_tokens = c->sent; }
    if (rst) { struct linger l = {1, 0}; setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof l); }
    close(c->fd);
    conns[c->idx] = conns[--nconn]; conns[c->idx]->idx = c->idx;
    free(c->in); free(c->out); free(c);
}
static int flush_out(conn *c) { /* 1 flushed, 0 would block, -1 dead */
    while (c->outoff < c->outlen) {
        ssize_t w = send(c->fd, c->out + c->outoff, c->outlen - c->outoff, MSG_NOSIGNAL);
        if (w < 0) { if (errno == EAGAIN) { arm(c, 1); return 0; } return -1; }
        c->outoff += w;
    }
    c->outoff = c->outlen = 0; arm(c, 0); return 1;
}
static long ctl(const char *b, const char *k, long d) { const char *p = strstr(b, k); return p ? atol(p + strlen(k)) : d; }

static const char SSE_HEAD[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
static void add_chunk(conn *c, const char *p, size_t n) { char h[16]; int k = snprintf(h, sizeof h, "%zx\r\n", n); 
    char b[1024]; memcpy(b, h, k); memcpy(b + k, p, n); memcpy(b + k + n, "\r\n", 2); out_add(c, b, k + n + 2); }
static void add_token(conn *c) {
    char b[512]; int n; uint64_t t = now_ns();
    if (c->kind == 1) n = snprintf(b, sizeof b, "data: \"@T%016llu \"\n\n", (unsigned long long)t);
    else n = snprintf(b, sizeof b, "data: {\"id\":\"chatcmpl-mock0001\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"mock\",\"choices\":[{\"index\":0,\"delta\":{%s\"content\":\"@T%016llu \"},\"finish_reason\":null}]}\n\n", c->sent ? "" : "\"role\":\"assistant\",", (unsigned long long)t);
    add_chunk(c, b, n); c->sent++;
}
static void add_tail(conn *c) {
    static const char fin[] = "data: {\"id\":\"chatcmpl-mock0001\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"mock\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    if (c->kind == 0) add_chunk(c, fin, sizeof fin - 1);
    add_chunk(c, "data: [DONE]\n\n", 14);
    out_add(c, "0\r\n\r\n", 5);
}
static int pump(conn *c);
static int process(conn *c);
static int pump(conn *c) { /* returns -1 when c was dropped */
    for (;;) {
        int r = flush_out(c);
        if (r < 0) { drop(c, 0); return -1; }
        if (r == 0 || !c->streaming) return 0;
        if (c->die && c->sent >= c->die) { c->streaming = 0; st.done++; drop(c, 1); return -1; }
        if (c->sent >= c->n) {
            add_tail(c); c->streaming = 0; st.done++;
            r = flush_out(c); if (r < 0) { drop(c, 0); return -1; }
            return process(c);
        }
        if (c->gap) { if (now_ns() < c->due) return 0; c->due += c->gap; }
        add_token(c);
    }
}
static void add_json(conn *c, int code, const char *body) {
    char h[256]; int k = snprintf(h, sizeof h, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", code, code == 200 ? "OK" : "Error", strlen(body));
    out_add(c, h, k); out_add(c, body, strlen(body));
}
static const char TXT[] = "The quick brown fox jumps over the lazy dog. The quick brown fox jumps over the lazy dog. The quick brown fox jumps over the lazy dog. The quick brown fox jumps over the lazy dog. The quick brown fox jumps over the lazy dog. The quick brown fox jumps over the lazy dog. The quick brown fox jumps over the lazy dog. The quick brown fox jumps over the lazy dog.";
static void reply_now(conn *c) {
    char b[2048];
    if (c->err) { st.json++; add_json(c, c->err, "{\"error\":{\"message\":\"mock failure\",\"type\":\"server_error\",\"param\":null,\"code\":\"mock\"}}"); return; }
    if (c->kind == 2) { st.json++; snprintf(b, sizeof b, "{\"text\":\"%s\",\"model\":\"mock\",\"usage\":{\"prompt_tokens\":200,\"completion_tokens\":80,\"total_tokens\":280},\"latency_ms\":1.0}", TXT); add_json(c, 200, b); }
    else { st.json++; snprintf(b, sizeof b, "{\"id\":\"chatcmpl-mock0001\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"mock\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%s\"},\"finish_reason\":\"stop\",\"logprobs\":null}],\"usage\":{\"prompt_tokens\":200,\"completion_tokens\":80,\"total_tokens\":280}}", TXT); add_json(c, 200, b); }
}
static void start_stream(conn *c) { st.started++; c->streaming = 1; c->sent = 0; c->due = now_ns(); out_add(c, SSE_HEAD, sizeof SSE_HEAD - 1); }

static int process(conn *c) { /* parse & serve complete requests in c->in; -1 when dropped */
    while (!c->streaming && !c->delayed && !c->hang && c->inlen) {
        c->in[c->inlen] = 0;
        char *he = strstr(c->in, "\r\n\r\n"); if (!he) return 0;
        size_t hl = he - c->in + 4, bl = 0, total; char save = *he; *he = 0;
        char *cl = strcasestr(c->in, "\r\ncontent-length:"), *te = strcasestr(c->in, "\r\ntransfer-encoding: chunked");
        if (cl) bl = atol(cl + 17);
        *he = save;
        char *body = c->in + hl;
        if (te && te < he) { char *z = strstr(body, "0\r\n\r\n"); if (!z) return 0; total = z + 5 - c->in; }
        else { if (c->inlen < hl + bl) return 0; total = hl + bl; }
        char endsave = c->in[total]; c->in[total] = 0;
        int post = !strncmp(c->in, "POST ", 5), kind = -1, stream = 0;
        char *path = strchr(c->in, ' ') + 1;
        if (post && !strncmp(path, "/v1/chat/completions", 20)) { stream = strstr(body, "\"stream\":true") || strstr(body, "\"stream\": true"); kind = stream ? 0 : 3; }
        else if (post && !strncmp(path, "/inference/stream", 17)) { kind = 1; stream = 1; }
        else if (post && !strncmp(path, "/inference", 10)) kind = 2;
        if (kind >= 0) {
            c->kind = kind; c->n = ctl(body, "@n=", 200); c->gap = ctl(body, "@gap=", 0) * 1000000ull;
            c->die = ctl(body, "@die=", 0); c->err = ctl(body, "@err=", 0); c->hang = ctl(body, "@hang=", 0);
            long delay = ctl(body, "@delay=", 0);
            c->in[total] = endsave; memmove(c->in, c->in + total, c->inlen - total); c->inlen -= total;
            if (c->hang) return 0;
            if (c->die && !stream && !delay) { drop(c, 1); return -1; }
            if (delay) { c->delayed = stream && !c->err ? 2 : 1; c->due = now_ns() + delay * 1000000ull; return 0; }
            if (stream && !c->err) { start_stream(c); return pump(c); }
            reply_now(c);
        } else {
            char b[512];
            if (!strncmp(path, "/stats", 6)) snprintf(b, sizeof b, "{\"conns\":%ld,\"open\":%d,\"json\":%ld,\"streams_started\":%ld,\"streams_done\":%ld,\"streams_aborted\":%ld,\"last_abort_tokens\":%ld,\"json_aborted\":%ld}", st.conns, nconn, st.json, st.started, st.done, st.aborted, st.last_abort_tokens, st.json_aborted);
            else if (!strncmp(path, "/reset", 6)) { memset(&st, 0, sizeof st); strcpy(b, "{}"); }
            else strcpy(b, "{\"status\":\"healthy\",\"service\":\"mock\",\"data\":[{\"id\":\"mock\",\"object\":\"model\"}]}");
            add_json(c, 200, b);
            c->in[total] = endsave; memmove(c->in, c->in + total, c->inlen - total); c->inlen -= total;
        }
        int r = flush_out(c); if (r < 0) { drop(c, 0); return -1; }
    }
    return 0;
}
int main(int argc, char **argv) {
    int port = argc > 1 ? atoi(argv[1]) : 9100; double maxs = argc > 2 ? atof(argv[2]) : 3600;
    signal(SIGPIPE, SIG_IGN);
    int ls = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1; setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(ls, (void *)&a, sizeof a) || listen(ls, 1024)) { perror("bind"); return 1; }
    ep = epoll_create1(0); struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL}; epoll_ctl(ep, EPOLL_CTL_ADD, ls, &e);
    uint64_t end = now_ns() + (uint64_t)(maxs * 1e9); struct epoll_event ev[256];
    for (;;) {
        uint64_t t = now_ns(), next = t + 500000000ull;
        if (t > end) return 0;
        for (int i = nconn - 1; i >= 0; i--) { conn *c = conns[i];
            if (c->delayed && c->due <= t) { int d = c->delayed; c->delayed = 0; if (d == 2) start_stream(c); else if (c->die) { drop(c, 1); continue; } else reply_now(c);
                if (pump(c) < 0) continue; if (d == 1 && process(c) < 0) continue; }
            else if (c->streaming && c->gap && !c->want_out && c->due <= t) { if (pump(c) < 0) continue; }
            if ((c->delayed || (c->streaming && c->gap && !c->want_out)) && c->due < next) next = c->due; }
        t = now_ns(); struct timespec ts = {0, 0}; if (next > t) { ts.tv_sec = (next - t) / 1000000000ull; ts.tv_nsec = (next - t) % 1000000000ull; }
        int n = epoll_pwait2(ep, ev, 256, &ts, NULL);
        for (int i = 0; i < n; i++) {
            conn *c = ev[i].data.ptr;
            if (!c) { for (;;) { int fd = accept4(ls, NULL, NULL, SOCK_NONBLOCK); if (fd < 0) break;
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    conn *k = calloc(1, sizeof *k); k->fd = fd; k->incap = 65536; k->in = malloc(k->incap + 1); k->idx = nconn; conns[nconn++] = k; st.conns++;
                    struct epoll_event x = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = k}; epoll_ctl(ep, EPOLL_CTL_ADD, fd, &x); } continue; }
            if (ev[i].events & (EPOLLERR | EPOLLHUP)) { drop(c, 0); continue; }
            if (ev[i].events & EPOLLOUT) { if (pump(c) < 0) continue; }
            if (ev[i].events & (EPOLLIN | EPOLLRDHUP)) {
                if (c->inlen == c->incap) { c->incap *= 2; c->in = realloc(c->in, c->incap + 1); }
                ssize_t r = recv(c->fd, c->in + c->inlen, c->incap - c->inlen, 0);
                if (r == 0 || (r < 0 && errno != EAGAIN)) { drop(c, 0); continue; }
                if (r > 0) { c->inlen += r; process(c); }
            }
        }
    }
}
