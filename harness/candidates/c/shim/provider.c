#include "provider.h"
#include "shim.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#define BLOCK 16

static int random_bytes(uint8_t *data, size_t len, void *user_data)
{
    (void)user_data;
    if(len > INT_MAX) {
        return SG_ERR_INVAL;
    }
    return RAND_bytes(data, (int)len) == 1 ? 0 : CS_ERR_CRYPTO;
}

static int hmac_init(void **context, const uint8_t *key, size_t key_len, void *user_data)
{
    (void)user_data;
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *made = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    /* The library calls with an empty key and NULL; to OpenSSL NULL means "as before". */
    if(!made || EVP_MAC_init(made, key ? key : (const uint8_t *)"", key_len, params) != 1) {
        EVP_MAC_CTX_free(made);
        return CS_ERR_CRYPTO;
    }
    *context = made;
    return 0;
}

static int hmac_update(void *context, const uint8_t *data, size_t len, void *user_data)
{
    (void)user_data;
    return EVP_MAC_update(context, data, len) == 1 ? 0 : CS_ERR_CRYPTO;
}

static int hmac_final(void *context, signal_buffer **output, void *user_data)
{
    (void)user_data;
    uint8_t mac[EVP_MAX_MD_SIZE];
    size_t len = 0;
    if(EVP_MAC_final(context, mac, &len, sizeof mac) != 1) {
        return CS_ERR_CRYPTO;
    }
    *output = signal_buffer_create(mac, len);
    return *output ? 0 : SG_ERR_NOMEM;
}

static void hmac_cleanup(void *context, void *user_data)
{
    (void)user_data;
    EVP_MAC_CTX_free(context);
}

static int sha512_init(void **context, void *user_data)
{
    (void)user_data;
    EVP_MD_CTX *made = EVP_MD_CTX_new();
    if(!made || EVP_DigestInit_ex(made, EVP_sha512(), NULL) != 1) {
        EVP_MD_CTX_free(made);
        return CS_ERR_CRYPTO;
    }
    *context = made;
    return 0;
}

static int sha512_update(void *context, const uint8_t *data, size_t len, void *user_data)
{
    (void)user_data;
    return EVP_DigestUpdate(context, data, len) == 1 ? 0 : CS_ERR_CRYPTO;
}

/* The library goes on using the context after this. */
static int sha512_final(void *context, signal_buffer **output, void *user_data)
{
    (void)user_data;
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    if(EVP_DigestFinal_ex(context, digest, &len) != 1 || EVP_DigestInit_ex(context, EVP_sha512(), NULL) != 1) {
        return CS_ERR_CRYPTO;
    }
    *output = signal_buffer_create(digest, len);
    return *output ? 0 : SG_ERR_NOMEM;
}

static void sha512_cleanup(void *context, void *user_data)
{
    (void)user_data;
    EVP_MD_CTX_free(context);
}

int cs_aes_cbc(int encrypt, const uint8_t key[32], const uint8_t iv[16], const uint8_t *in, size_t len, uint8_t *out, size_t *out_len)
{
    if(len > INT_MAX - BLOCK) {
        return SG_ERR_INVAL;
    }
    if(!encrypt && (len == 0 || len % BLOCK != 0)) {
        return CS_ERR_CBC_PADDING;
    }
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    int body = 0;
    int tail = 0;
    int result = CS_ERR_CRYPTO;
    /* OpenSSL holds the last block back when it decrypts: the output is never longer than the input. */
    if(cipher && EVP_CipherInit_ex2(cipher, EVP_aes_256_cbc(), key, iv, encrypt ? 1 : 0, NULL) == 1
            && EVP_CipherUpdate(cipher, out, &body, in, (int)len) == 1) {
        if(EVP_CipherFinal_ex(cipher, out + body, &tail) == 1) {
            *out_len = (size_t)body + (size_t)tail;
            result = 0;
        } else if(!encrypt) {
            result = CS_ERR_CBC_PADDING;
        }
    }
    EVP_CIPHER_CTX_free(cipher);
    return result;
}

static int cbc(int encrypt, signal_buffer **output, int cipher, const uint8_t *key, size_t key_len, const uint8_t *iv, size_t iv_len,
               const uint8_t *in, size_t len)
{
    /* CTR belongs to message version 2, which this candidate does not speak. */
    if(cipher != SG_CIPHER_AES_CBC_PKCS5 || key_len != 32 || iv_len != BLOCK || len > INT_MAX - BLOCK) {
        return SG_ERR_INVAL;
    }
    uint8_t *out = OPENSSL_malloc(len + BLOCK);
    if(!out) {
        return SG_ERR_NOMEM;
    }
    size_t out_len = 0;
    int result = cs_aes_cbc(encrypt, key, iv, in, len, out, &out_len);
    if(result == 0) {
        *output = signal_buffer_create(out, out_len);
        result = *output ? 0 : SG_ERR_NOMEM;
    }
    OPENSSL_clear_free(out, len + BLOCK);
    return result;
}

static int encrypt_bytes(signal_buffer **output, int cipher, const uint8_t *key, size_t key_len, const uint8_t *iv, size_t iv_len,
                         const uint8_t *plaintext, size_t len, void *user_data)
{
    (void)user_data;
    return cbc(1, output, cipher, key, key_len, iv, iv_len, plaintext, len);
}

static int decrypt_bytes(signal_buffer **output, int cipher, const uint8_t *key, size_t key_len, const uint8_t *iv, size_t iv_len,
                         const uint8_t *ciphertext, size_t len, void *user_data)
{
    (void)user_data;
    return cbc(0, output, cipher, key, key_len, iv, iv_len, ciphertext, len);
}

int cs_provider_set(signal_context *context)
{
    const signal_crypto_provider provider = {
        .random_func = random_bytes,
        .hmac_sha256_init_func = hmac_init,
        .hmac_sha256_update_func = hmac_update,
        .hmac_sha256_final_func = hmac_final,
        .hmac_sha256_cleanup_func = hmac_cleanup,
        .sha512_digest_init_func = sha512_init,
        .sha512_digest_update_func = sha512_update,
        .sha512_digest_final_func = sha512_final,
        .sha512_digest_cleanup_func = sha512_cleanup,
        .encrypt_func = encrypt_bytes,
        .decrypt_func = decrypt_bytes,
        .user_data = NULL,
    };
    return signal_context_set_crypto_provider(context, &provider);
}
