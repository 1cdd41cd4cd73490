/* What a client keeps, and the library's view of it. */
#ifndef CS_STORES_H
#define CS_STORES_H

#include "shim.h"

#include <signal/signal_protocol.h>

/* A serialised record, by id or by name. */
struct entry {
    struct entry *next;
    uint32_t id;
    char name[CS_NAME];
    signal_buffer *record;
};

/* What the library changes in one call. */
struct pending {
    char peer[CS_NAME];
    signal_buffer *session;
    struct cs_outcome outcome;
};

struct cs_client {
    signal_context *context;
    signal_protocol_store_context *stores;
    signal_buffer *identity_public;
    signal_buffer *identity_private;
    uint32_t registration_id;
    struct entry *sessions;
    struct entry *prekeys;
    struct entry *signed_prekeys;
    struct pending pending;
};

/* Gives the client a store context whose stores are itself. */
int stores_connect(struct cs_client *client);

struct entry *entry_by_id(struct entry *list, uint32_t id);
struct entry *entry_by_name(struct entry *list, const char *name, size_t len);
/* Takes the record over, also when it fails. A record under the same key is replaced. */
int entry_put(struct entry **list, uint32_t id, const char *name, signal_buffer *record);
int entry_remove(struct entry **list, uint32_t id);
int entries_copy(struct entry **to, const struct entry *from);
void entries_free(struct entry **list);

/* The session record as the call leaves it; NULL if there is none. It stays the client's. */
signal_buffer *session_record_of(struct cs_client *client, const char *name, size_t len);

#endif
