#include "provider.h"
#include "stores.h"

#include <signal/curve.h>
#include <signal/fingerprint.h>
#include <signal/protocol.h>
#include <signal/session_builder.h>
#include <signal/session_cipher.h>
#include <signal/session_pre_key.h>
#include <signal/session_record.h>
#include <signal/session_state.h>
#include <stdlib.h>
#include <string.h>

#define DEVICE 1

static void keep_log(int level, const char *message, size_t len, void *user_data)
{
    (void)level;
    char *log = ((struct cs_client *)user_data)->pending.outcome.log;
    size_t kept = len < CS_LOG - 1 ? len : CS_LOG - 1;
    memcpy(log, message, kept);
    log[kept] = '\0';
}

cs_client *cs_client_new(void)
{
    struct cs_client *client = calloc(1, sizeof *client);
    if(client && signal_context_create(&client->context, client) == 0 && cs_provider_set(client->context) == 0
            && signal_context_set_log_function(client->context, keep_log) == 0 && stores_connect(client) == 0) {
        return client;
    }
    cs_client_free(client);
    return NULL;
}

cs_client *cs_client_restart(const cs_client *client)
{
    struct cs_client *copy = cs_client_new();
    if(!copy) {
        return NULL;
    }
    copy->registration_id = client->registration_id;
    copy->identity_public = client->identity_public ? signal_buffer_copy(client->identity_public) : NULL;
    copy->identity_private = client->identity_private ? signal_buffer_copy(client->identity_private) : NULL;
    int lacks_identity = client->identity_public && (!copy->identity_public || !copy->identity_private);
    if(lacks_identity || entries_copy(&copy->sessions, client->sessions) < 0 || entries_copy(&copy->prekeys, client->prekeys) < 0
            || entries_copy(&copy->signed_prekeys, client->signed_prekeys) < 0) {
        cs_client_free(copy);
        return NULL;
    }
    return copy;
}

void cs_client_free(cs_client *client)
{
    if(!client) {
        return;
    }
    cs_discard(client);
    entries_free(&client->sessions);
    entries_free(&client->prekeys);
    entries_free(&client->signed_prekeys);
    signal_buffer_free(client->identity_public);
    signal_buffer_bzero_free(client->identity_private);
    signal_protocol_store_context_destroy(client->stores);
    if(client->context) {
        signal_context_destroy(client->context);
    }
    free(client);
}

void cs_bytes_free(struct cs_bytes *bytes)
{
    free(bytes->data);
    bytes->data = NULL;
    bytes->len = 0;
}

static int hand_out(struct cs_bytes *bytes, const signal_buffer *buffer)
{
    size_t len = signal_buffer_len(buffer);
    bytes->data = malloc(len ? len : 1);
    if(!bytes->data) {
        return SG_ERR_NOMEM;
    }
    memcpy(bytes->data, signal_buffer_const_data(buffer), len);
    bytes->len = len;
    return 0;
}

/* Keys. */

static int public_bytes(uint8_t out[CS_PUBLIC], const ec_public_key *key)
{
    signal_buffer *buffer = NULL;
    int result = ec_public_key_serialize(&buffer, key);
    if(result == 0) {
        result = signal_buffer_len(buffer) == CS_PUBLIC ? 0 : SG_ERR_UNKNOWN;
    }
    if(result == 0) {
        memcpy(out, signal_buffer_const_data(buffer), CS_PUBLIC);
    }
    signal_buffer_free(buffer);
    return result;
}

static int public_read(ec_public_key **key, const uint8_t *bytes, size_t len, signal_context *context)
{
    return curve_decode_point(key, bytes, len, context) == 0 ? 0 : CS_ERR_KEY_FORM;
}

static int pair_make(ec_key_pair **pair, const uint8_t *private_key, signal_context *context)
{
    ec_private_key *own = NULL;
    ec_public_key *theirs = NULL;
    if(!private_key) {
        return curve_generate_key_pair(context, pair);
    }
    int result = curve_decode_private_point(&own, private_key, CS_PRIVATE, context);
    if(result == 0) {
        result = curve_generate_public_key(&theirs, own);
    }
    if(result == 0) {
        result = ec_key_pair_create(pair, theirs, own);
    }
    SIGNAL_UNREF(own);
    SIGNAL_UNREF(theirs);
    return result;
}

int cs_identity_set(cs_client *client, uint32_t registration_id, const uint8_t *private_key, uint8_t public_key[CS_PUBLIC])
{
    ec_key_pair *pair = NULL;
    signal_buffer *public_half = NULL;
    signal_buffer *private_half = NULL;
    int result = pair_make(&pair, private_key, client->context);
    if(result == 0) {
        result = public_bytes(public_key, ec_key_pair_get_public(pair));
    }
    if(result == 0) {
        result = ec_public_key_serialize(&public_half, ec_key_pair_get_public(pair));
    }
    if(result == 0) {
        result = ec_private_key_serialize(&private_half, ec_key_pair_get_private(pair));
    }
    SIGNAL_UNREF(pair);
    if(result != 0) {
        signal_buffer_free(public_half);
        signal_buffer_bzero_free(private_half);
        return result;
    }
    signal_buffer_free(client->identity_public);
    signal_buffer_bzero_free(client->identity_private);
    client->identity_public = public_half;
    client->identity_private = private_half;
    client->registration_id = registration_id;
    return 0;
}

int cs_prekey_add(cs_client *client, uint32_t id, const uint8_t *private_key, uint8_t public_key[CS_PUBLIC])
{
    ec_key_pair *pair = NULL;
    session_pre_key *prekey = NULL;
    int result = pair_make(&pair, private_key, client->context);
    if(result == 0) {
        result = public_bytes(public_key, ec_key_pair_get_public(pair));
    }
    if(result == 0) {
        result = session_pre_key_create(&prekey, id, pair);
    }
    if(result == 0) {
        result = signal_protocol_pre_key_store_key(client->stores, prekey);
    }
    SIGNAL_UNREF(prekey);
    SIGNAL_UNREF(pair);
    return result;
}

int cs_signed_prekey_add(cs_client *client, uint32_t id, uint64_t time_ms, const uint8_t *private_key, const uint8_t *given_signature,
                         uint8_t public_key[CS_PUBLIC], uint8_t signature[CS_SIGNATURE])
{
    ec_key_pair *pair = NULL;
    session_signed_pre_key *prekey = NULL;
    int result = pair_make(&pair, private_key, client->context);
    if(result == 0) {
        result = public_bytes(public_key, ec_key_pair_get_public(pair));
    }
    if(result == 0 && given_signature) {
        memcpy(signature, given_signature, CS_SIGNATURE);
    } else if(result == 0) {
        result = cs_sign(client, public_key, CS_PUBLIC, signature);
    }
    if(result == 0) {
        result = session_signed_pre_key_create(&prekey, id, time_ms, pair, signature, CS_SIGNATURE);
    }
    if(result == 0) {
        result = signal_protocol_signed_pre_key_store_key(client->stores, prekey);
    }
    SIGNAL_UNREF(prekey);
    SIGNAL_UNREF(pair);
    return result;
}

int cs_prekey_remove(cs_client *client, uint32_t id)
{
    return entry_remove(&client->prekeys, id);
}

int cs_prekey_exists(const cs_client *client, uint32_t id)
{
    return entry_by_id(client->prekeys, id) != NULL;
}

/* Sessions. */

static int begin(cs_client *client, const char *peer, signal_protocol_address *address)
{
    cs_discard(client);
    size_t len = strnlen(peer, CS_NAME);
    if(len == 0 || len == CS_NAME) {
        return CS_ERR_NAME;
    }
    *address = (signal_protocol_address){.name = peer, .name_len = len, .device_id = DEVICE};
    return client->identity_public ? 0 : CS_ERR_NO_IDENTITY;
}

int cs_bundle_process(cs_client *client, const char *peer, const struct cs_bundle *bundle)
{
    signal_protocol_address address;
    ec_public_key *identity = NULL;
    ec_public_key *signed_prekey = NULL;
    ec_public_key *prekey = NULL;
    session_pre_key_bundle *made = NULL;
    session_builder *builder = NULL;
    int result = begin(client, peer, &address);
    if(result == 0) {
        result = public_read(&identity, bundle->identity, bundle->identity_len, client->context);
    }
    if(result == 0) {
        result = public_read(&signed_prekey, bundle->signed_prekey, bundle->signed_prekey_len, client->context);
    }
    if(result == 0 && bundle->prekey) {
        result = public_read(&prekey, bundle->prekey, bundle->prekey_len, client->context);
    }
    if(result == 0) {
        result = session_pre_key_bundle_create(&made, bundle->registration_id, DEVICE, bundle->prekey_id, prekey,
                                               bundle->signed_prekey_id, signed_prekey, bundle->signature, bundle->signature_len,
                                               identity);
    }
    if(result == 0) {
        result = session_builder_create(&builder, client->stores, &address, client->context);
    }
    if(result == 0) {
        result = session_builder_process_pre_key_bundle(builder, made);
    }
    session_builder_free(builder);
    SIGNAL_UNREF(made);
    SIGNAL_UNREF(prekey);
    SIGNAL_UNREF(signed_prekey);
    SIGNAL_UNREF(identity);
    return result < 0 ? result : 0;
}

int cs_encrypt(cs_client *client, const char *peer, const uint8_t *plaintext, size_t len, int *type, struct cs_bytes *message)
{
    signal_protocol_address address;
    session_cipher *cipher = NULL;
    ciphertext_message *encrypted = NULL;
    int result = begin(client, peer, &address);
    if(result == 0 && !session_record_of(client, peer, address.name_len)) {
        result = SG_ERR_NO_SESSION;
    }
    if(result == 0) {
        result = session_cipher_create(&cipher, client->stores, &address, client->context);
    }
    if(result == 0) {
        result = session_cipher_encrypt(cipher, plaintext, len, &encrypted);
    }
    if(result >= 0) {
        *type = ciphertext_message_get_type(encrypted);
        result = hand_out(message, ciphertext_message_get_serialized(encrypted));
    }
    SIGNAL_UNREF(encrypted);
    session_cipher_free(cipher);
    return result < 0 ? result : 0;
}

int cs_decrypt(cs_client *client, const char *peer, int type, const uint8_t *message, size_t len, struct cs_bytes *plaintext)
{
    signal_protocol_address address;
    session_cipher *cipher = NULL;
    signal_message *normal = NULL;
    pre_key_signal_message *prekey = NULL;
    signal_buffer *decrypted = NULL;
    int result = begin(client, peer, &address);
    if(result == 0) {
        result = session_cipher_create(&cipher, client->stores, &address, client->context);
    }
    if(result == 0 && type == CS_TYPE_PREKEY) {
        result = pre_key_signal_message_deserialize(&prekey, message, len, client->context);
        if(result == 0) {
            result = session_cipher_decrypt_pre_key_signal_message(cipher, prekey, NULL, &decrypted);
        }
    } else if(result == 0 && type == CS_TYPE_NORMAL) {
        result = signal_message_deserialize(&normal, message, len, client->context);
        if(result == 0) {
            result = session_cipher_decrypt_signal_message(cipher, normal, NULL, &decrypted);
        }
    } else if(result == 0) {
        result = SG_ERR_INVAL;
    }
    if(result >= 0) {
        result = hand_out(plaintext, decrypted);
        signal_buffer_bzero_free(decrypted);
    }
    SIGNAL_UNREF(normal);
    SIGNAL_UNREF(prekey);
    session_cipher_free(cipher);
    return result < 0 ? result : 0;
}

int cs_archive(cs_client *client, const char *peer)
{
    signal_protocol_address address;
    session_record *record = NULL;
    int result = begin(client, peer, &address);
    if(result == 0 && !session_record_of(client, peer, address.name_len)) {
        return SG_ERR_NO_SESSION;
    }
    if(result == 0) {
        result = signal_protocol_session_load_session(client->stores, &record, &address);
    }
    if(result >= 0) {
        result = session_record_archive_current_state(record);
    }
    if(result >= 0) {
        result = signal_protocol_session_store_session(client->stores, &address, record);
    }
    SIGNAL_UNREF(record);
    return result < 0 ? result : 0;
}

void cs_outcome(const cs_client *client, struct cs_outcome *outcome)
{
    *outcome = client->pending.outcome;
}

int cs_session_get(cs_client *client, const char *peer, struct cs_session *session)
{
    memset(session, 0, sizeof *session);
    signal_buffer *bytes = session_record_of(client, peer, strlen(peer));
    session_record *record = NULL;
    if(!bytes) {
        return 0;
    }
    int result = session_record_deserialize(&record, signal_buffer_data(bytes), signal_buffer_len(bytes), client->context);
    if(result < 0) {
        return result;
    }
    const session_state *state = session_record_get_state(record);
    session->exists = 1;
    session->can_send = session_state_has_sender_chain(state) != 0;
    session->unanswered = session_state_has_unacknowledged_pre_key_message(state) != 0;
    const session_record_state_node *node = session_record_get_previous_states_head(record);
    for(; node; node = session_record_get_previous_states_next(node)) {
        session->archived += 1;
    }
    const ec_public_key *identity = session_state_get_remote_identity_key(state);
    if(identity) {
        session->has_identity = 1;
        result = public_bytes(session->identity, identity);
    }
    SIGNAL_UNREF(record);
    return result < 0 ? result : 0;
}

int cs_commit(cs_client *client)
{
    struct pending *pending = &client->pending;
    int result = 0;
    if(pending->session) {
        result = entry_put(&client->sessions, 0, pending->peer, pending->session);
        pending->session = NULL;
    }
    if(result == 0 && pending->outcome.removed_prekey) {
        entry_remove(&client->prekeys, pending->outcome.prekey_id);
    }
    cs_discard(client);
    return result;
}

void cs_discard(cs_client *client)
{
    signal_buffer_bzero_free(client->pending.session);
    memset(&client->pending, 0, sizeof client->pending);
}

/* Primitives. */

int cs_sign(cs_client *client, const uint8_t *message, size_t len, uint8_t signature[CS_SIGNATURE])
{
    ec_private_key *key = NULL;
    signal_buffer *made = NULL;
    if(!client->identity_private) {
        return CS_ERR_NO_IDENTITY;
    }
    int result = curve_decode_private_point(&key, signal_buffer_data(client->identity_private),
                                            signal_buffer_len(client->identity_private), client->context);
    if(result == 0) {
        result = curve_calculate_signature(client->context, &made, key, message, len);
    }
    if(result == 0) {
        result = signal_buffer_len(made) == CS_SIGNATURE ? 0 : SG_ERR_UNKNOWN;
    }
    if(result == 0) {
        memcpy(signature, signal_buffer_const_data(made), CS_SIGNATURE);
    }
    signal_buffer_free(made);
    SIGNAL_UNREF(key);
    return result;
}

int cs_verify(cs_client *client, const uint8_t public_key[CS_PUBLIC], const uint8_t *message, size_t len, const uint8_t *signature, size_t signature_len)
{
    ec_public_key *key = NULL;
    int result = public_read(&key, public_key, CS_PUBLIC, client->context);
    if(result == 0) {
        result = curve_verify_signature(key, message, len, signature, signature_len);
    }
    SIGNAL_UNREF(key);
    return result;
}

int cs_agree(cs_client *client, const uint8_t *public_key, size_t public_len, const uint8_t private_key[CS_PRIVATE], uint8_t shared[32])
{
    ec_public_key *theirs = NULL;
    ec_private_key *own = NULL;
    uint8_t *secret = NULL;
    int result = public_read(&theirs, public_key, public_len, client->context);
    if(result == 0) {
        result = curve_decode_private_point(&own, private_key, CS_PRIVATE, client->context);
    }
    if(result == 0) {
        result = curve_calculate_agreement(&secret, theirs, own);
    }
    if(result > 0) {
        memcpy(shared, secret, 32);
        free(secret);
    }
    SIGNAL_UNREF(own);
    SIGNAL_UNREF(theirs);
    return result < 0 ? result : 0;
}

int cs_fingerprint(cs_client *client, int iterations, const char *local, const uint8_t local_key[CS_PUBLIC], const char *remote,
                   const uint8_t remote_key[CS_PUBLIC], char digits[61])
{
    ec_public_key *own = NULL;
    ec_public_key *theirs = NULL;
    fingerprint_generator *generator = NULL;
    fingerprint *made = NULL;
    int result = public_read(&own, local_key, CS_PUBLIC, client->context);
    if(result == 0) {
        result = public_read(&theirs, remote_key, CS_PUBLIC, client->context);
    }
    if(result == 0) {
        result = fingerprint_generator_create(&generator, iterations, 1, client->context);
    }
    if(result == 0) {
        result = fingerprint_generator_create_for(generator, local, own, remote, theirs, &made);
    }
    if(result >= 0) {
        const char *text = displayable_fingerprint_text(fingerprint_get_displayable(made));
        result = strlen(text) == 60 ? 0 : SG_ERR_UNKNOWN;
        if(result == 0) {
            memcpy(digits, text, 61);
        }
    }
    SIGNAL_UNREF(made);
    fingerprint_generator_free(generator);
    SIGNAL_UNREF(theirs);
    SIGNAL_UNREF(own);
    return result < 0 ? result : 0;
}
