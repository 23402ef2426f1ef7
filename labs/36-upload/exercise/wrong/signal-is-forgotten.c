// wrong: a send to a client that has gone is taken to do no harm: the signal that comes with its error is forgotten
// fails: reset-while-it-sends
// shows: ended, SIGPIPE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONGEST_HEADER 65536
#define LARGEST 1048576
#define LONGEST_NAME 255

#define GONE -1   /* the client left */
#define BAD 0     /* nobody knows where the next request begins */
#define DONE 1

/* Makes a socket that listens on HOST and PORT. */
static int listens(void)
{
    const char *host = getenv("HOST"), *port = getenv("PORT");
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port ? atoi(port) : 8080)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    inet_pton(AF_INET, host ? host : "127.0.0.1", &here.sin_addr);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) < 0 || listen(listener, 5) < 0) {
        perror("cannot listen");
        exit(1);
    }
    return listener;
}

/* SHA-256 of n bytes, as 64 hexadecimal digits and a zero byte. FIPS 180-4 describes it. */
static void sha256(const unsigned char *data, size_t n, char digits[65])
{
    static const uint32_t K[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
    uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    size_t blocks = (n + 9 + 63) / 64;
    for (size_t block = 0; block < blocks; block++) {
        uint32_t w[64] = {0}, v[8];
        for (size_t at = 0; at < 64; at++) {
            size_t from = block * 64 + at;
            uint32_t byte = from < n ? data[from] : from == n ? 0x80 : 0;
            if (from >= blocks * 64 - 8)
                byte = (uint64_t)n * 8 >> 8 * (blocks * 64 - 1 - from) & 0xff;
            w[at / 4] |= byte << 8 * (3 - at % 4);
        }
#define TURN(x, by) ((x) >> (by) | (x) << (32 - (by)))
        for (int at = 16; at < 64; at++) {
            uint32_t a = w[at - 15], b = w[at - 2];
            w[at] = w[at - 16] + (TURN(a, 7) ^ TURN(a, 18) ^ a >> 3)
                + w[at - 7] + (TURN(b, 17) ^ TURN(b, 19) ^ b >> 10);
        }
        memcpy(v, h, sizeof v);
        for (int at = 0; at < 64; at++) {
            uint32_t one = v[7] + (TURN(v[4], 6) ^ TURN(v[4], 11) ^ TURN(v[4], 25)) + K[at] + w[at];
            uint32_t two = (TURN(v[0], 2) ^ TURN(v[0], 13) ^ TURN(v[0], 22));
            one += (v[4] & v[5]) ^ (~v[4] & v[6]);
            two += (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
            memmove(v + 1, v, 7 * sizeof *v);
            v[4] += one;
            v[0] = one + two;
        }
        for (int at = 0; at < 8; at++)
            h[at] += v[at];
    }
    for (int at = 0; at < 8; at++)
        sprintf(digits + 8 * at, "%08x", h[at]);
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* What is behind a JSON value, or NULL if there is none. Lists and objects are at most `deep` deep. */
static const char *skip_value(const char *at, int deep)
{
    if (*at == '"') {
        for (at++; *at != '"'; at++)
            if ((unsigned char)*at < ' ' || (*at == '\\' && (unsigned char)*++at < ' '))
                return NULL;
        return at + 1;
    }
    if (*at == '{' || *at == '[') {
        char end = *at == '{' ? '}' : ']';
        at = skip_blanks(at + 1);
        for (int first = 1; deep > 0 && *at != end; first = 0) {
            if (!first && *at++ != ',')
                return NULL;
            at = skip_blanks(at);
            if (end == '}') {
                if (*at != '"' || !(at = skip_value(at, 0)) || *(at = skip_blanks(at)) != ':')
                    return NULL;
                at = skip_blanks(at + 1);
            }
            if (!(at = skip_value(at, deep - 1)))
                return NULL;
            at = skip_blanks(at);
        }
        return *at == end ? at + 1 : NULL;
    }
    for (int word = 0; word < 3; word++) {
        const char *words[] = {"true", "false", "null"};
        if (strncmp(at, words[word], strlen(words[word])) == 0)
            return at + strlen(words[word]);
    }
    size_t number = strspn(at, "-+.0123456789eE");
    return number ? at + number : NULL;
}

/* Whether a text is a JSON object, and nothing else. */
static int is_object(const char *json)
{
    json = skip_blanks(json);
    const char *end = *json == '{' ? skip_value(json, 20) : NULL;
    return end && *skip_blanks(end) == 0;
}

/* The value of a field of a JSON object, as it stands there: 5, or "a.txt" with its quotation marks and escapes.
   Returns its length, or 0 if there is no such field. */
static int field(const char *object, const char *name, const char **value)
{
    object = skip_blanks(skip_blanks(object) + 1);
    while (*object == '"') {
        const char *key = object, *key_end = skip_value(key, 0);
        *value = skip_blanks(skip_blanks(key_end) + 1);
        const char *end = skip_value(*value, 20);
        if (key_end - key == (long)strlen(name) + 2 && strncmp(key + 1, name, strlen(name)) == 0)
            return end - *value;
        object = skip_blanks(end);
        object = skip_blanks(*object == ',' ? object + 1 : object);
    }
    return 0;
}

/* The bytes of a JSON string as `field` gives it, with its escapes read. `text` needs room for as many bytes as the
   value has. Returns how many there are, or -1 if it is no string. A zero byte may be one of them. */
static int text_of(const char *value, int len, char *text)
{
    int n = 0;
    if (len < 2 || *value != '"')
        return -1;
    for (const char *at = value + 1; at < value + len - 1; at++) {
        unsigned code, low;
        if (*at != '\\') {
            text[n++] = *at;
            continue;
        }
        const char *plain = "\"\\/bfnrt", *is = strchr(plain, *++at);
        if (is) {
            text[n++] = "\"\\/\b\f\n\r\t"[is - plain];
            continue;
        }
        if (*at != 'u' || sscanf(at + 1, "%4x", &code) != 1)
            return -1;
        at += 4;
        if (code >> 10 == 0xd800 >> 10 && sscanf(at + 1, "\\u%4x", &low) == 1) {
            code = 0x10000 + ((code & 0x3ff) << 10 | (low & 0x3ff));
            at += 6;
        }
        int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
        text[n++] = more ? 0xff00 >> (more + 1) | code >> 6 * more : code;
        while (more-- > 0)
            text[n++] = 0x80 | (code >> 6 * more & 0x3f);
    }
    return n;
}

/* Reads n bytes, in however many pieces they come. */
static int recv_exact(int conn, void *data, size_t n)
{
    for (size_t have = 0; have < n;) {
        ssize_t len = recv(conn, (char *)data + have, n - have, 0);
        if (len <= 0)
            return GONE;
        have += len;
    }
    return DONE;
}

static int send_all(int conn, const void *data, size_t n)
{
    for (size_t sent = 0; sent < n;) {
        size_t piece = n - sent < 4096 ? n - sent : 4096;
        write(conn, (const char *)data + sent, piece);
        sent += piece;
    }
    return DONE;
}

/* Sends a header. */
static int answer(int conn, const char *json)
{
    uint32_t length = htonl(strlen(json));
    return send_all(conn, &length, 4) == DONE ? send_all(conn, json, strlen(json)) : GONE;
}

static int refuse(int conn, const char *why)
{
    char json[128];
    snprintf(json, sizeof json, "{\"ok\": false, \"error\": \"%s\"}", why);
    return answer(conn, json);
}

/* The filesize that a header says, or -1 if there is none, or one that is not allowed. */
static long read_size(const char *header)
{
    const char *text;
    int len = field(header, "filesize", &text);
    if (len == 0 || len > 7 || (int)strspn(text, "0123456789") != len)
        return -1;
    long size = atol(text);
    return size <= LARGEST ? size : -1;
}

static int is_allowed(const char *name, int len)
{
    return len >= 1 && len <= LONGEST_NAME && *name != '.' && !memchr(name, '/', len) && !memchr(name, 0, len);
}

static unsigned char file[LARGEST];

/* Keeps `size` bytes of `file` under a path: all of them, or nothing. Returns what is wrong, or NULL. */
static const char *keep(size_t size, const char *unfinished, const char *path)
{
    /* There is one client at a time: nobody takes the name in between. */
    if (access(path, F_OK) == 0)
        return "the name is taken";
    /* What lies there from an earlier start is overwritten. */
    int fd = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0)
        return strerror(errno);
    for (size_t written = 0; written < size;) {
        ssize_t len = write(fd, file + written, size - written);
        if (len < 0) {
            close(fd);
            return strerror(errno);
        }
        written += len;
    }
    return close(fd) < 0 || rename(unfinished, path) < 0 ? strerror(errno) : NULL;
}

static int put(int conn, size_t size, const char *sha256_is, const char *unfinished, const char *path)
{
    char digits[65];
    /* It comes, whatever is wrong with it. */
    if (recv_exact(conn, file, size) == GONE)
        return GONE;
    if (!path)
        return refuse(conn, "the name is not allowed");
    sha256(file, size, digits);
    if (strncmp(sha256_is, digits, 64) != 0)
        return refuse(conn, "the digest is another one");
    const char *wrong = keep(size, unfinished, path);
    return wrong ? refuse(conn, wrong) : answer(conn, "{\"ok\": true}");
}

static int get(int conn, const char *path)
{
    char json[64];
    struct stat about;
    if (!path)
        return refuse(conn, "the name is not allowed");
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return refuse(conn, strerror(errno));
    ssize_t size = fstat(fd, &about) < 0 || about.st_size > LARGEST ? -1 : read(fd, file, about.st_size);
    close(fd);
    if (size < 0)
        return refuse(conn, "the file cannot be read");
    snprintf(json, sizeof json, "{\"ok\": true, \"filesize\": %zd}", size);
    return answer(conn, json) == DONE ? send_all(conn, file, size) : GONE;
}

/* One request. */
static int serve_one(int conn, const char *folder)
{
    static char header[LONGEST_HEADER + 1], name[LONGEST_HEADER];
    char unfinished[PATH_MAX], path[PATH_MAX + LONGEST_NAME + 1];
    const char *cmd, *filename, *digest;
    uint32_t length;
    if (recv_exact(conn, &length, 4) == GONE)
        return GONE;
    length = ntohl(length);
    if (length > LONGEST_HEADER)
        return BAD;
    if (recv_exact(conn, header, length) == GONE)
        return GONE;
    header[length] = 0;
    if (!is_object(header))
        return BAD;
    int cmd_len = field(header, "cmd", &cmd), len = field(header, "filename", &filename);
    if (len == 0 || (len = text_of(filename, len, name)) < 0)
        return BAD;
    snprintf(unfinished, sizeof unfinished, "%s/.unfinished", folder);
    snprintf(path, sizeof path, "%s/%.*s", folder, len > LONGEST_NAME ? LONGEST_NAME : len, name);
    const char *where = is_allowed(name, len) ? path : NULL;
    if (cmd_len == 5 && strncmp(cmd, "\"get\"", 5) == 0)
        return get(conn, where);
    long size = read_size(header);
    if (cmd_len != 5 || strncmp(cmd, "\"put\"", 5) != 0 || size < 0 || field(header, "sha256", &digest) != 66)
        return BAD;
    return put(conn, size, digest + 1, unfinished, where);
}

int main(void)
{
    const char *folder = getenv("FOLDER") ? getenv("FOLDER") : "inbox";
    mkdir(folder, 0755);
    int listener = listens();
    for (;;) {
        int conn = accept(listener, NULL, NULL), done = DONE;
        if (conn < 0) {
            perror("accept");
            return 1;
        }
        while (done == DONE)
            done = serve_one(conn, folder);
        if (done == BAD)
            refuse(conn, "the header cannot be used");
        close(conn);
    }
}
