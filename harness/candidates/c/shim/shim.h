/* A thin layer over libsignal-protocol-c for callers in other languages: in-memory stores, the crypto provider on OpenSSL, and
 * one call for each thing a client does. It holds no policy: whatever the library does not refuse, passes here too.
 *
 * Every call on a client is a transaction. The library's changes to the stores are put down beside them: `cs_commit` makes them,
 * `cs_discard` forgets them, and so does the next call. A call that failed can be looked at with `cs_outcome`, and has changed
 * nothing.
 *
 * Functions return 0, or a negative error of the library (SG_ERR_*), or one of CS_ERR_*. Calls on one client must not overlap;
 * calls on different clients may. EC public keys have 33 bytes (0x05 first), private ones 32, signatures 64.
 */
#ifndef CS_SHIM_H
#define CS_SHIM_H

#include <stddef.h>
#include <stdint.h>

#define CS_PUBLIC 33
#define CS_PRIVATE 32
#define CS_SIGNATURE 64
#define CS_NAME 64
#define CS_LOG 160

/* Beside the library's own errors; it leaves everything below -9999 to applications. */
#define CS_ERR_CRYPTO (-10001)      /* OpenSSL refused */
#define CS_ERR_CBC_PADDING (-10002) /* AES-256-CBC: the length or the padding of a ciphertext is wrong */
#define CS_ERR_KEY_FORM (-10003)    /* a public key that the library cannot read */
#define CS_ERR_NAME (-10004)        /* a peer's name is empty or longer than CS_NAME - 1 bytes */
#define CS_ERR_NO_IDENTITY (-10005) /* `cs_identity_set` comes first */

typedef struct cs_client cs_client;

/* Bytes that a call hands out: `cs_bytes_free` ends them. */
struct cs_bytes {
    uint8_t *data;
    size_t len;
};

struct cs_bundle {
    uint32_t registration_id;
    const uint8_t *identity;
    size_t identity_len;
    uint32_t signed_prekey_id;
    const uint8_t *signed_prekey;
    size_t signed_prekey_len;
    const uint8_t *signature;
    size_t signature_len;
    uint32_t prekey_id;
    const uint8_t *prekey; /* NULL if there is none */
    size_t prekey_len;
};

/* What the library did to the stores, or asked of them, in the last call, whether it succeeded or not. */
struct cs_outcome {
    int32_t missing_prekey;        /* 1: it asked for a one-time prekey that is not there */
    int32_t missing_signed_prekey; /* 1: the same of a signed prekey */
    int32_t loaded_prekey;         /* 1: it loaded a one-time prekey */
    int32_t removed_prekey;        /* 1: it asked for a one-time prekey to be removed */
    int32_t saved_session;         /* 1: it saved a session */
    int32_t saved_identity;        /* 1: it saved the identity key below */
    uint32_t prekey_id;            /* the one-time prekey of the above */
    uint32_t signed_prekey_id;
    uint8_t identity[CS_PUBLIC];
    char log[CS_LOG];              /* the last thing that it logged in the call, or empty */
};

/* A peer's current session. */
struct cs_session {
    int32_t exists;       /* 1: there is a record; what follows is zero otherwise */
    int32_t can_send;     /* 1: its current state has a sending chain */
    int32_t unanswered;   /* 1: it is sent in with prekey messages still */
    int32_t archived;     /* earlier states in the record */
    int32_t has_identity; /* 1: `identity` is the peer's identity key in the current state */
    uint8_t identity[CS_PUBLIC];
};

#define CS_TYPE_NORMAL 2
#define CS_TYPE_PREKEY 3

void cs_bytes_free(struct cs_bytes *bytes);

/* A client without keys; NULL without memory. */
cs_client *cs_client_new(void);
/* The same client as after a restart: everything that it has stored, read anew. NULL without memory. */
cs_client *cs_client_restart(const cs_client *client);
void cs_client_free(cs_client *client);

/* Keys: those given, or new ones where the private half is NULL. */
int cs_identity_set(cs_client *client, uint32_t registration_id, const uint8_t *private_key, uint8_t public_key[CS_PUBLIC]);
int cs_prekey_add(cs_client *client, uint32_t id, const uint8_t *private_key, uint8_t public_key[CS_PUBLIC]);
int cs_signed_prekey_add(cs_client *client, uint32_t id, uint64_t time_ms, const uint8_t *private_key, const uint8_t *given_signature,
                         uint8_t public_key[CS_PUBLIC], uint8_t signature[CS_SIGNATURE]);
/* At once, and in no transaction. 1 if it was there. */
int cs_prekey_remove(cs_client *client, uint32_t id);
int cs_prekey_exists(const cs_client *client, uint32_t id);

int cs_bundle_process(cs_client *client, const char *peer, const struct cs_bundle *bundle);
int cs_encrypt(cs_client *client, const char *peer, const uint8_t *plaintext, size_t len, int *type, struct cs_bytes *message);
int cs_decrypt(cs_client *client, const char *peer, int type, const uint8_t *message, size_t len, struct cs_bytes *plaintext);
/* Ends the current session for sending, as the library does it; what is under way in it can still be read. */
int cs_archive(cs_client *client, const char *peer);

void cs_outcome(const cs_client *client, struct cs_outcome *outcome);
/* The session as it would be after `cs_commit`. */
int cs_session_get(cs_client *client, const char *peer, struct cs_session *session);
int cs_commit(cs_client *client);
void cs_discard(cs_client *client);

/* The library's primitives, and OpenSSL's. */
int cs_sign(cs_client *client, const uint8_t *message, size_t len, uint8_t signature[CS_SIGNATURE]);
/* 1 if it verifies, 0 if not. */
int cs_verify(cs_client *client, const uint8_t public_key[CS_PUBLIC], const uint8_t *message, size_t len, const uint8_t *signature, size_t signature_len);
int cs_agree(cs_client *client, const uint8_t *public_key, size_t public_len, const uint8_t private_key[CS_PRIVATE], uint8_t shared[32]);
/* The library's displayable fingerprint; identifiers end at their first zero byte. 60 digits and a zero byte. */
int cs_fingerprint(cs_client *client, int iterations, const char *local, const uint8_t local_key[CS_PUBLIC], const char *remote,
                   const uint8_t remote_key[CS_PUBLIC], char digits[61]);
/* AES-256-CBC with PKCS#7. `out` has room for `len` + 16 bytes when encrypting, `len` when decrypting. */
int cs_aes_cbc(int encrypt, const uint8_t key[32], const uint8_t iv[16], const uint8_t *in, size_t len, uint8_t *out, size_t *out_len);

#endif
