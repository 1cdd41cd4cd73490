#include "stores.h"

#include <stdlib.h>
#include <string.h>

struct entry *entry_by_id(struct entry *list, uint32_t id)
{
    while(list && list->id != id) {
        list = list->next;
    }
    return list;
}

struct entry *entry_by_name(struct entry *list, const char *name, size_t len)
{
    while(list && !(strlen(list->name) == len && memcmp(list->name, name, len) == 0)) {
        list = list->next;
    }
    return list;
}

int entry_put(struct entry **list, uint32_t id, const char *name, signal_buffer *record)
{
    struct entry *found = name ? entry_by_name(*list, name, strlen(name)) : entry_by_id(*list, id);
    if(!record) {
        return SG_ERR_NOMEM;
    }
    if(!found) {
        found = calloc(1, sizeof *found);
        if(!found) {
            signal_buffer_bzero_free(record);
            return SG_ERR_NOMEM;
        }
        found->id = id;
        if(name) {
            strncpy(found->name, name, CS_NAME - 1);
        }
        found->next = *list;
        *list = found;
    }
    signal_buffer_bzero_free(found->record);
    found->record = record;
    return 0;
}

int entry_remove(struct entry **list, uint32_t id)
{
    while(*list && (*list)->id != id) {
        list = &(*list)->next;
    }
    struct entry *gone = *list;
    if(!gone) {
        return 0;
    }
    *list = gone->next;
    signal_buffer_bzero_free(gone->record);
    free(gone);
    return 1;
}

int entries_copy(struct entry **to, const struct entry *from)
{
    for(; from; from = from->next) {
        int result = entry_put(to, from->id, from->name[0] ? from->name : NULL, signal_buffer_copy(from->record));
        if(result < 0) {
            return result;
        }
    }
    return 0;
}

void entries_free(struct entry **list)
{
    while(*list) {
        struct entry *gone = *list;
        *list = gone->next;
        signal_buffer_bzero_free(gone->record);
        free(gone);
    }
}

signal_buffer *session_record_of(struct cs_client *client, const char *name, size_t len)
{
    struct pending *pending = &client->pending;
    if(pending->session && strlen(pending->peer) == len && memcmp(pending->peer, name, len) == 0) {
        return pending->session;
    }
    struct entry *found = entry_by_name(client->sessions, name, len);
    return found ? found->record : NULL;
}

/* The library's callbacks. */

static int load_session(signal_buffer **record, signal_buffer **user_record, const signal_protocol_address *address, void *user_data)
{
    (void)user_record;
    const signal_buffer *found = session_record_of(user_data, address->name, address->name_len);
    if(!found) {
        return 0;
    }
    *record = signal_buffer_copy(found);
    return *record ? 1 : SG_ERR_NOMEM;
}

static int sub_device_sessions(signal_int_list **sessions, const char *name, size_t name_len, void *user_data)
{
    (void)name;
    (void)name_len;
    (void)user_data;
    *sessions = signal_int_list_alloc();
    return *sessions ? 0 : SG_ERR_NOMEM;
}

static int store_session(const signal_protocol_address *address, uint8_t *record, size_t record_len, uint8_t *user_record,
                         size_t user_record_len, void *user_data)
{
    (void)user_record;
    (void)user_record_len;
    struct pending *pending = &((struct cs_client *)user_data)->pending;
    if(address->name_len >= CS_NAME) {
        return CS_ERR_NAME;
    }
    signal_buffer *copy = signal_buffer_create(record, record_len);
    if(!copy) {
        return SG_ERR_NOMEM;
    }
    signal_buffer_bzero_free(pending->session);
    pending->session = copy;
    memcpy(pending->peer, address->name, address->name_len);
    pending->peer[address->name_len] = '\0';
    pending->outcome.saved_session = 1;
    return 0;
}

static int contains_session(const signal_protocol_address *address, void *user_data)
{
    return session_record_of(user_data, address->name, address->name_len) != NULL;
}

/* No call of this shim makes the library delete a session. */
static int delete_session(const signal_protocol_address *address, void *user_data)
{
    (void)address;
    (void)user_data;
    return SG_ERR_INVAL;
}

static int delete_all_sessions(const char *name, size_t name_len, void *user_data)
{
    (void)name;
    (void)name_len;
    (void)user_data;
    return SG_ERR_INVAL;
}

static int load(signal_buffer **record, struct entry *found)
{
    if(!found) {
        return SG_ERR_INVALID_KEY_ID;
    }
    *record = signal_buffer_copy(found->record);
    return *record ? SG_SUCCESS : SG_ERR_NOMEM;
}

static int load_pre_key(signal_buffer **record, uint32_t id, void *user_data)
{
    struct cs_client *client = user_data;
    int result = load(record, entry_by_id(client->prekeys, id));
    client->pending.outcome.prekey_id = id;
    client->pending.outcome.missing_prekey = result == SG_ERR_INVALID_KEY_ID;
    client->pending.outcome.loaded_prekey = result == SG_SUCCESS;
    return result;
}

static int store_pre_key(uint32_t id, uint8_t *record, size_t len, void *user_data)
{
    return entry_put(&((struct cs_client *)user_data)->prekeys, id, NULL, signal_buffer_create(record, len));
}

static int contains_pre_key(uint32_t id, void *user_data)
{
    return entry_by_id(((struct cs_client *)user_data)->prekeys, id) != NULL;
}

static int remove_pre_key(uint32_t id, void *user_data)
{
    struct cs_outcome *outcome = &((struct cs_client *)user_data)->pending.outcome;
    outcome->prekey_id = id;
    outcome->removed_prekey = 1;
    return 0;
}

static int load_signed_pre_key(signal_buffer **record, uint32_t id, void *user_data)
{
    struct cs_client *client = user_data;
    int result = load(record, entry_by_id(client->signed_prekeys, id));
    client->pending.outcome.signed_prekey_id = id;
    client->pending.outcome.missing_signed_prekey = result == SG_ERR_INVALID_KEY_ID;
    return result;
}

static int store_signed_pre_key(uint32_t id, uint8_t *record, size_t len, void *user_data)
{
    return entry_put(&((struct cs_client *)user_data)->signed_prekeys, id, NULL, signal_buffer_create(record, len));
}

static int contains_signed_pre_key(uint32_t id, void *user_data)
{
    return entry_by_id(((struct cs_client *)user_data)->signed_prekeys, id) != NULL;
}

static int remove_signed_pre_key(uint32_t id, void *user_data)
{
    return entry_remove(&((struct cs_client *)user_data)->signed_prekeys, id) ? 0 : SG_ERR_INVALID_KEY_ID;
}

static int identity_key_pair(signal_buffer **public_data, signal_buffer **private_data, void *user_data)
{
    struct cs_client *client = user_data;
    if(!client->identity_public) {
        return CS_ERR_NO_IDENTITY;
    }
    *public_data = signal_buffer_copy(client->identity_public);
    *private_data = signal_buffer_copy(client->identity_private);
    if(*public_data && *private_data) {
        return 0;
    }
    signal_buffer_free(*public_data);
    signal_buffer_bzero_free(*private_data);
    *public_data = *private_data = NULL;
    return SG_ERR_NOMEM;
}

static int local_registration_id(void *user_data, uint32_t *registration_id)
{
    *registration_id = ((struct cs_client *)user_data)->registration_id;
    return 0;
}

static int save_identity(const signal_protocol_address *address, uint8_t *key_data, size_t key_len, void *user_data)
{
    (void)address;
    struct cs_outcome *outcome = &((struct cs_client *)user_data)->pending.outcome;
    if(key_data && key_len == CS_PUBLIC) {
        memcpy(outcome->identity, key_data, CS_PUBLIC);
        outcome->saved_identity = 1;
    }
    return 0;
}

/* Whom to trust is the caller's to say: it sees every identity key in `cs_outcome` and `cs_session_get` before it commits. */
static int is_trusted_identity(const signal_protocol_address *address, uint8_t *key_data, size_t key_len, void *user_data)
{
    (void)address;
    (void)key_data;
    (void)key_len;
    (void)user_data;
    return 1;
}

int stores_connect(struct cs_client *client)
{
    const signal_protocol_session_store sessions = {
        .load_session_func = load_session,
        .get_sub_device_sessions_func = sub_device_sessions,
        .store_session_func = store_session,
        .contains_session_func = contains_session,
        .delete_session_func = delete_session,
        .delete_all_sessions_func = delete_all_sessions,
        .destroy_func = NULL,
        .user_data = client,
    };
    const signal_protocol_pre_key_store prekeys = {
        .load_pre_key = load_pre_key,
        .store_pre_key = store_pre_key,
        .contains_pre_key = contains_pre_key,
        .remove_pre_key = remove_pre_key,
        .destroy_func = NULL,
        .user_data = client,
    };
    const signal_protocol_signed_pre_key_store signed_prekeys = {
        .load_signed_pre_key = load_signed_pre_key,
        .store_signed_pre_key = store_signed_pre_key,
        .contains_signed_pre_key = contains_signed_pre_key,
        .remove_signed_pre_key = remove_signed_pre_key,
        .destroy_func = NULL,
        .user_data = client,
    };
    const signal_protocol_identity_key_store identities = {
        .get_identity_key_pair = identity_key_pair,
        .get_local_registration_id = local_registration_id,
        .save_identity = save_identity,
        .is_trusted_identity = is_trusted_identity,
        .destroy_func = NULL,
        .user_data = client,
    };
    int result = signal_protocol_store_context_create(&client->stores, client->context);
    if(result == 0) {
        result = signal_protocol_store_context_set_session_store(client->stores, &sessions);
    }
    if(result == 0) {
        result = signal_protocol_store_context_set_pre_key_store(client->stores, &prekeys);
    }
    if(result == 0) {
        result = signal_protocol_store_context_set_signed_pre_key_store(client->stores, &signed_prekeys);
    }
    if(result == 0) {
        result = signal_protocol_store_context_set_identity_key_store(client->stores, &identities);
    }
    return result;
}
