//! Every defect: its code, its name and how real clients come to make it.

macro_rules! defects {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal;)*) => {
        /// One mistake. The text of each says how real clients come to make it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Defect { $($(#[doc = $doc])* $variant,)* }

        impl Defect {
            /// Every defect, in the order of the documentation.
            pub const ALL: &'static [Defect] = &[$(Defect::$variant,)*];

            /// Its name, as in `mutant:NAME`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The mistake in a sentence.
            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*).trim_ascii(),)* }
            }
        }
    };
}

defects! {
    /// Takes the signed prekey of a bundle as it comes: the check was left for later.
    SkipsSignedPrekeySignature = "skips-signed-prekey-signature";
    /// Checks the EC signature only: the Kyber prekey was added later, and its signature forgotten.
    SkipsKyberPrekeySignature = "skips-kyber-prekey-signature";
    /// Looks for any known identity key under which a prekey's signature verifies, not for the one in the bundle.
    AcceptsSignatureOfAnyContact = "accepts-signature-of-any-contact";
    /// Trusts the library to refuse a one-time prekey of low order; the library does not.
    AcceptsLowOrderOneTimePrekey = "accepts-low-order-one-time-prekey";
    /// Trusts a signed prekey of low order since its signature is right.
    AcceptsLowOrderSignedPrekey = "accepts-low-order-signed-prekey";
    /// As initiator leaves out the one-time prekey that the bundle offers: the optional field was never read.
    IgnoresOneTimePrekey = "ignores-one-time-prekey";
    /// Cannot start a session from a bundle without a one-time prekey: the optional field was made mandatory.
    NeedsOneTimePrekey = "needs-one-time-prekey";
    /// Refuses a first message that used no one-time prekey: the receiver's side of the same mistake.
    RefusesFirstMessageWithoutOneTimePrekey = "refuses-first-message-without-one-time-prekey";
    /// Never deletes a one-time prekey: the library leaves that to its caller.
    KeepsUsedOneTimePrekey = "keeps-used-one-time-prekey";
    /// Publishes prekeys once and never again: the notice that they run low is ignored.
    NeverRefills = "never-refills";
    /// Numbers prekeys from the start again at the second refill, so that new keys go by ids that were used before.
    RefillsWithUsedIds = "refills-with-used-ids";
    /// Deletes the old signed prekey when it rotates, while messages made for it are still under way.
    DeletesOldSignedPrekeyAtOnce = "deletes-old-signed-prekey-at-once";
    /// Takes over a changed identity key without a word to the user.
    SilentIdentityChange = "silent-identity-change";
    /// Tells of a changed identity key only after it has shown the message that came under it.
    LateIdentityNotice = "late-identity-notice";
    /// Tells of a changed identity key, and sends to it although nobody has accepted it.
    SendsToChangedIdentity = "sends-to-changed-identity";
    /// Answers a retry receipt that comes with a new identity key by encrypting to that key, and asks nobody.
    ResendsToNewIdentity = "resends-to-new-identity";
    /// Makes the safety number of its own key alone, twice: the peer's key was never put in.
    SafetyNumberOfOneKey = "safety-number-of-one-key";
    /// Makes the safety number from the first key that it ever saw of the peer, whatever key came after it.
    SafetyNumberOfFirstKey = "safety-number-of-first-key";
    /// Takes a user's name for a text that ends at its first zero byte, when it makes a safety number.
    SafetyNumberEndsAtZero = "safety-number-ends-at-zero";
    /// Tries its current signed prekey if it does not have the one that the message names.
    FallsBackToCurrentSignedPrekey = "falls-back-to-current-signed-prekey";
    /// Processes a replayed first message anew, for it keeps the prekeys and does not look for the session.
    ReplaysFirstMessage = "replays-first-message";
    /// Decrypts with a stale copy of the ratchet, so that a replayed message is shown again.
    ReplaysLaterMessage = "replays-later-message";
    /// Shows a stanza that is delivered twice a second time, out of its cache of decrypted texts.
    ShowsRepeatedStanza = "shows-repeated-stanza";
    /// Refuses a message that was overtaken by another of its chain: it keeps no skipped message keys.
    DropsLateMessages = "drops-late-messages";
    /// Refuses every message after four lost ones: it keeps the keys of three skipped messages at most.
    StopsAfterGap = "stops-after-gap";
    /// Throws its own session away when the peer started one at the same moment.
    OverwritesSessionOnSimultaneousStart = "overwrites-session-on-simultaneous-start";
    /// Loses the last write of a session deep in a long conversation, as in a crash, and uses one message key twice.
    LosesOneSessionWrite = "loses-one-session-write";
    /// Decrypts whatever the message authentication code says.
    SkipsMac = "skips-mac";
    /// Decrypts whatever the message authentication code says, about half of the time: two copies of the check race.
    FlakyMac = "flaky-mac";
    /// Computes the message authentication code over the fields that it parsed, and leaves out the previous counter.
    MacMissesAField = "mac-misses-a-field";
    /// Takes over the identity key that stands outside a later first message, where no authentication code covers it.
    TrustsOuterIdentity = "trusts-outer-identity";
    /// Holds the registration id outside of later first messages against the one that came first, though no authentication code covers it.
    HoldsToFirstRegistrationId = "holds-to-first-registration-id";
    /// Deletes the session with the sender of a message that cannot be parsed.
    ForgetsSessionOnMalformed = "forgets-session-on-malformed";
    /// Shows a placeholder as the sender's message for what it could not decrypt.
    ShowsUndecryptable = "shows-undecryptable";
    /// Keeps the keys of all its users in one store, and shows one user what was meant for another.
    SharedKeyStore = "shared-key-store";
    /// Shows the user's own message as the peer's when it is sent back.
    ShowsOwnReflected = "shows-own-reflected";
    /// Never asks for a message again that it could not decrypt.
    NoRetryReceipt = "no-retry-receipt";
    /// Never sends a message again that the peer could not decrypt.
    IgnoresRetryReceipt = "ignores-retry-receipt";
    /// Answers a retry receipt for a message that it never sent to that user with the latest message to anybody.
    ResendsUnsent = "resends-unsent";
    /// Drops a message with an empty text: an empty string counts as no string.
    DropsEmptyText = "drops-empty-text";
    /// Cuts a text off after 16 KiB: a column of the database is too short.
    TruncatesLongText = "truncates-long-text";
    /// Loses the characters from U+20000 on: a table of letters ends with the second Unicode plane.
    ManglesText = "mangles-text";
    /// Encrypts the content without padding, so that its length can be seen.
    NoPadding = "no-padding";
    /// Puts the text beside the ciphertext, for the notification's sake.
    PlaintextInHeader = "plaintext-in-header";
    /// Encrypts every file with the same key: it was made once and kept.
    ReusesMediaKey = "reuses-media-key";
    /// Uploads a file as it is.
    UploadsPlaintext = "uploads-plaintext";
    /// Derives the keys of a voice message as if it were a plain file.
    OneMediaKeyInfo = "one-media-key-info";
    /// Does not compare a downloaded file with the digest in its message.
    SkipsMediaDigest = "skips-media-digest";
    /// Decrypts a file whatever its authentication code says.
    SkipsMediaMac = "skips-media-mac";
    /// Shows as much of a file as arrived.
    AcceptsPartialDownload = "accepts-partial-download";
    /// Does not compare a file's length with the one in its message.
    SkipsMediaLength = "skips-media-length";
    /// Shows an empty file for one that is not there.
    ShowsMissingMedia = "shows-missing-media";
    /// Makes the key of a file from its content, to save the upload of what was uploaded before.
    ConvergentMediaKey = "convergent-media-key";
    /// Compares the first ten bytes of a file's authentication code only, as another service has it.
    ComparesTenMacBytes = "compares-ten-mac-bytes";
    /// Opens a file as any of the four kinds, whichever its keys were derived for.
    GuessesMediaKind = "guesses-media-kind";
    /// Takes as many bytes of a download as the message's length calls for, and ignores what follows.
    IgnoresAppendedBytes = "ignores-appended-bytes";
    /// Shows as much of a file as its message says that there is.
    TruncatesToStatedLength = "truncates-to-stated-length";
    /// Drops an empty file: a length of zero counts as no length.
    RefusesEmptyFile = "refuses-empty-file";
    /// Takes files up to 32 MiB only, though it states 64: a buffer in between is smaller.
    StopsAt32Mib = "stops-at-32-mib";
    /// Gives a download up for which the connection broke once.
    GivesUpBrokenDownload = "gives-up-broken-download";
    /// Shows a file name with the path that the sender put before it.
    ShowsPathInFileName = "shows-path-in-file-name";
    /// Sends a file under its whole path: the picker's answer is taken for a name.
    SendsPathInFileName = "sends-path-in-file-name";
    /// Shows a file name with control characters in it.
    ShowsControlInFileName = "shows-control-in-file-name";
    /// Shows a file name that turns the direction of writing, so that its end looks like another.
    ShowsBidiInFileName = "shows-bidi-in-file-name";
    /// Shows a file name of any length.
    ShowsLongFileName = "shows-long-file-name";
    /// Gives a file that has no name one of its own.
    InventsFileName = "invents-file-name";
    /// Takes any text for a media type, line feeds included.
    TakesAnyMediaType = "takes-any-media-type";
    /// Sends the delivery receipt at once, but takes 60 ms before it shows a message, one after another.
    SlowDelivery = "slow-delivery";
    /// Shows a message at once, but takes 60 ms before it sends the delivery receipt, one after another.
    SlowReceipts = "slow-receipts";
    /// Shows only the last of the messages that waited while the user was offline.
    ForgetsOfflineMessages = "forgets-offline-messages";
    /// Gives a request up on the first error of the gateway.
    NeverRetriesGateway = "never-retries-gateway";
    /// Retries a request in equal, short pauses.
    RetriesWithoutGrowingPauses = "retries-without-growing-pauses";
    /// Sends no delivery receipts.
    NoDeliveryReceipt = "no-delivery-receipt";
    /// Deletes a user from its own memory alone: the gateway is never told.
    DeletesLocallyOnly = "deletes-locally-only";
    /// Brings up the channels of all users that it ever had when one of them comes online, deleted ones included.
    ReconnectsDeletedUsers = "reconnects-deleted-users";
    /// Counts a message as sent when it has left, whatever the gateway says to it.
    ReportsRefusedAsSent = "reports-refused-as-sent";
    /// Tells its user that a contact who is unknown now must have been deleted, if there is a conversation with it.
    TellsDeletedFromUnknown = "tells-deleted-from-unknown";
    /// Shows a message once the gateway has taken the receipt for it, and never if its sender is gone.
    ShowsOnlyAfterReceipt = "shows-only-after-receipt";
    /// Comes online without a word although the gateway has un-enlisted the user and thrown its messages away.
    ConnectsAlthoughUnEnlisted = "connects-although-un-enlisted";
    /// Throws replaced prekeys away after a week, when the user comes online: before it reads what waited for longer.
    ForgetsPrekeysAfterAWeek = "forgets-prekeys-after-a-week";
    /// Restores identity and prekeys from a backup that was made before they were used.
    RestoresBackupOnReinstall = "restores-backup-on-reinstall";
    /// Refuses a first message from a peer with whom there is a session already.
    IgnoresNewSession = "ignores-new-session";
    /// Deletes the old session when it sets up a new one, while messages of the old one are still under way.
    ForgetsOldSessionOnFetch = "forgets-old-session-on-fetch";
    /// Keeps nothing of the old session when the peer begins a new one.
    ForgetsOldSessionOnFirstMessage = "forgets-old-session-on-first-message";
    /// Deletes the old last-resort Kyber prekey when it rotates, while messages made for it are still under way.
    DeletesOldLastResortAtOnce = "deletes-old-last-resort-at-once";
    /// Refuses a message that comes after more than 256 lost ones.
    StopsAfterLongGap = "stops-after-long-gap";
    /// Says once how a session was set up, and not until the peer has answered: if that message is lost, all are.
    SetsUpOnce = "sets-up-once";
    /// Sends a message again as often as somebody asks.
    ResendsWithoutEnd = "resends-without-end";
    /// Asks for a message again each time that it comes and cannot be read.
    AsksWithoutEnd = "asks-without-end";
    /// Shows each answer to its requests for a message as a message of its own: it knows messages by their stanzas alone.
    ShowsEveryResend = "shows-every-resend";
    /// Reads every message as if it were of its own version, and computes with that.
    IgnoresMessageVersion = "ignores-message-version";
    /// Drops stanzas of a kind that it does not know, and never acknowledges them.
    DropsUnknownStanzas = "drops-unknown-stanzas";
    /// Refuses a stanza with a member that it does not know: its parser is strict.
    StumblesOverNewMembers = "stumbles-over-new-members";
    /// Remembers neither how a last-resort prekey was used nor which messages were shown.
    ForgetsLastResortUses = "forgets-last-resort-uses";
    /// Goes on in a session that was never answered for more than 30 days.
    KeepsStaleSession = "keeps-stale-session";
    /// Gives a refill up on the first error of the gateway.
    GivesRefillUp = "gives-refill-up";
    /// Shows a reaction that is taken back as one that is made: the flag was added later, and nobody reads it.
    IgnoresReactionRemoval = "ignores-reaction-removal";
    /// Shows a reply as a plain text: what it answers is lost.
    LosesQuote = "loses-quote";
    /// Shows the new text of an edited message as a message of its own.
    ShowsEditAsText = "shows-edit-as-text";
    /// Drops deletions without a word: the message stays.
    IgnoresDeletions = "ignores-deletions";
    /// Answers the typing indicator with a delivery receipt, as anything that was decrypted.
    ReceiptForTyping = "receipt-for-typing";
    /// Answers a read receipt with a delivery receipt, as anything that was decrypted.
    ReceiptForReadReceipt = "receipt-for-read-receipt";
    /// Shows what refers to a message that it does not know: the reference is never looked up.
    ShowsForUnknownMessage = "shows-for-unknown-message";
    /// Shows that a message was read which was never sent to the one who says so.
    ShowsUnknownReadReceipt = "shows-unknown-read-receipt";
    /// Takes deletions for half the time only: one day in place of two.
    ClosesDeletionEarly = "closes-deletion-early";
    /// Lets anybody edit or delete a message who knows its id: whose it is was never compared.
    LetsAnybodyChange = "lets-anybody-change";
    /// Shows a reaction of the sender to a message of its own.
    ShowsSelfReaction = "shows-self-reaction";
    /// Shows the same reaction once more, although nothing changes by it.
    ShowsReactionAgain = "shows-reaction-again";
    /// Takes an edit at any time.
    EditsWithoutEnd = "edits-without-end";
    /// Takes a deletion at any time.
    DeletesWithoutEnd = "deletes-without-end";
    /// Shows a second deletion of one message.
    ShowsRepeatedDelete = "shows-repeated-delete";
    /// Takes whatever stands in a reaction's emoji.
    TakesAnyReaction = "takes-any-reaction";
    /// Sends the delivery receipt as soon as a message is decrypted, before it is examined.
    ReceiptBeforeExamination = "receipt-before-examination";
    /// Sends delivery receipts in bulk for all that waited while the user was offline, whatever came of it.
    BulkReceiptsOnReturn = "bulk-receipts-on-return";
    /// Relies on the gateway to keep out whom the user has blocked.
    ShowsBlocked = "shows-blocked";
    /// Looks who is blocked only after decryption, so that a damaged message of a blocked user is asked for again.
    AsksBlockedAgain = "asks-blocked-again";
    /// Keeps the block list to itself.
    BlocksLocallyOnly = "blocks-locally-only";
    /// Takes a user off the list at the gateway, and goes on refusing its messages.
    StaysBlocked = "stays-blocked";
    /// Tells a blocked user that its messages were read, and that the user types: both take another path than messages.
    TellsBlocked = "tells-blocked";
    /// Lets the user edit a message at any time, and leaves it to the receiver to refuse that.
    SendsLateEdits = "sends-late-edits";
    /// Offers reactions under the user's own messages as under all others, and sends them.
    SendsSelfReactions = "sends-self-reactions";
    /// Lets the user edit and delete any message of the conversation, and leaves it to the receiver to refuse that.
    SendsForeignEdits = "sends-foreign-edits";
    /// Sends whatever its keyboard gives it as an emoji, and leaves the length to the receiver.
    SendsAnyReaction = "sends-any-reaction";
    /// Counts the length of an emoji in UTF-16 units, as its language does, and not in bytes.
    CountsEmojiInUtf16 = "counts-emoji-in-utf16";
    /// Takes an emoji of less than the longest length only: the comparison leaves out the limit itself.
    RefusesLongestEmoji = "refuses-longest-emoji";
    /// Goes on under the same sender key after somebody who has it was taken out of the group.
    KeepsSenderKeyAfterRemoval = "keeps-sender-key-after-removal";
    /// Gives a new member of a group its sender key as it was at the beginning, so that it can read what came before.
    HandsOutFirstSenderKey = "hands-out-first-sender-key";
    /// Gives its sender key to the first members of a large group only: one request to the key directory takes no more.
    HandsKeysToFew = "hands-keys-to-few";
    /// Decrypts a group message whoever signed it.
    SkipsSenderKeySignature = "skips-sender-key-signature";
    /// Shows messages of everybody whose sender key it has, also of one who was taken out of the group.
    ListensToRemovedMembers = "listens-to-removed-members";
    /// Takes a sender key wherever it stands, also inside a group message.
    TakesSenderKeyAnywhere = "takes-sender-key-anywhere";
    /// Takes a sender key for a group from anybody who has a session with the user.
    TakesSenderKeyFromStrangers = "takes-sender-key-from-strangers";
    /// Takes the sender key of one group for another, if its owner says so.
    SharesSenderKeys = "shares-sender-keys";
    /// Tries everything that it can decrypt with on whatever comes, also a sender key on a message between two users.
    GuessesMessageKind = "guesses-message-kind";
    /// Shows a group message in the group that it was made for, whatever stanza it came in.
    IgnoresGroupOfStanza = "ignores-group-of-stanza";
    /// Shows a group message in whichever group the server says that it is for.
    TrustsStanzaForGroup = "trusts-stanza-for-group";
    /// Says who is in a group when it hears of the group, and does not say who comes later.
    HidesAddedMembers = "hides-added-members";
    /// Shows a group message whatever list of members it was made for.
    IgnoresGroupList = "ignores-group-list";
    /// Compares the version of the list that a group message was made for, and not who stands on it.
    ComparesListVersionOnly = "compares-list-version-only";
    /// Refuses a group message that was overtaken by another of its sender.
    DropsLateGroupMessages = "drops-late-group-messages";
    /// Shows a group message again that comes under another id, out of its cache of decrypted texts.
    ReplaysGroupMessage = "replays-group-message";
    /// Sends nothing again to a member who could not read a group message.
    IgnoresGroupRetry = "ignores-group-retry";
    /// Never asks for a group message again.
    AsksNoGroupAgain = "asks-no-group-again";
    /// Drops files in groups: only texts were thought of.
    DropsGroupFiles = "drops-group-files";
    /// Shows a group message as one from its sender alone.
    LosesGroup = "loses-group";
    /// Takes a one-time prekey that it does not have for none, and goes on without.
    IgnoresUnknownOneTimePrekey = "ignores-unknown-one-time-prekey";
    /// Tries again without the one-time prekey if a first message cannot be decrypted: some senders were said to leave it out.
    TriesWithoutOneTimePrekey = "tries-without-one-time-prekey";
    /// Tries again without the post-quantum ratchet's key if a message cannot be decrypted.
    TriesWithoutPqKey = "tries-without-pq-key";
    /// Goes along with a session that never had the post-quantum ratchet, as Signal's library does for the sake of older peers.
    AcceptsSessionWithoutSpqr = "accepts-session-without-spqr";
    /// Still answers first messages by the older agreement, which has no post-quantum key.
    AcceptsOlderAgreement = "accepts-older-agreement";
    /// Begins a second session under the base key of the first if the message names another prekey.
    TakesBaseKeyTwice = "takes-base-key-twice";
    /// Does not look at the base key of a first message before it computes with it.
    AcceptsLowOrderBaseKey = "accepts-low-order-base-key";
    /// Trusts the library to refuse a ratchet key of low order; the library does not.
    AcceptsLowOrderRatchetKey = "accepts-low-order-ratchet-key";
    /// Does not compare the sender and the receiver that a message names inside with those that it came from and to.
    IgnoresAddresses = "ignores-addresses";
    /// Never makes a new ratchet key when it is answered: the step was taken for an optimisation.
    NeverTurnsRatchet = "never-turns-ratchet";
    /// Checks that a sender's certificate is signed, and not that whoever signed it is to be trusted in that.
    SkipsTrustRoot = "skips-trust-root";
    /// Checks the server's certificate beside a sender's one, and takes that one for checked as well.
    ChecksServerCertificateOnly = "checks-server-certificate-only";
    /// Does not look until when a sender's certificate holds.
    IgnoresCertificateExpiry = "ignores-certificate-expiry";
    /// Takes a certificate for a device that its user does not have: the number is parsed and dropped.
    TakesAnyCertifiedDevice = "takes-any-certified-device";
    /// Believes a certificate without comparing its key with that of the session, as Signal's own call does not either.
    BelievesCertifiedKey = "believes-certified-key";
    /// Takes the sender's name from the certificate, whose key it compares with the one that it knows of that user, and decrypts with
    /// whichever session fits: who sealed the message is not looked at.
    ShowsCertifiedSender = "shows-certified-sender";
    /// Looks who is blocked where a stanza names its sender, which a sealed one does not.
    ShowsSealedOfBlocked = "shows-sealed-of-blocked";
    /// Asks for a sealed message again whoever its certificate names, before the certificate is checked.
    AsksUncertifiedAgain = "asks-uncertified-again";
    /// Sends openly what it was asked to seal: the flag is not passed on.
    SendsOpenly = "sends-openly";
    /// Sends again openly what went out sealed: the queue of resends knows contents alone.
    ResendsOpenly = "resends-openly";
    /// Writes the sender's id beside what is sealed, so that the receiver finds the session sooner.
    NamesSenderBesideSeal = "names-sender-beside-seal";
    /// Asks for a certificate once, and seals under it for ever.
    KeepsCertificate = "keeps-certificate";
    /// Keeps each session as it was before each message, so that a late one can still be read.
    KeepsOldSessions = "keeps-old-sessions";
    /// Writes the keys of messages to a log, as it was needed once to find a fault.
    LogsMessageKeys = "logs-message-keys";
    /// Moves the keys of skipped messages that there is no more room for to a store of their own, since one of them may still come.
    KeepsAllSkippedKeys = "keeps-all-skipped-keys";
    /// Takes a used one-time prekey out of the index, and leaves its private key in the store.
    KeepsUsedPrekeysInStore = "keeps-used-prekeys-in-store";
    /// Notes how far a peer's chain has come before it has checked the message that says so.
    NotesBeforeChecking = "notes-before-checking";
    /// Deletes the one-time prekey that a first message names before it has checked the message.
    UsesUpBeforeChecking = "uses-up-before-checking";
    /// Keeps each member's sender key as it was before each message, so that a late one can still be read.
    KeepsOldSenderKeys = "keeps-old-sender-keys";
    /// Makes new ratchet keys from a stored secret and the message that they answer, where they have to be random.
    PredictableRatchetKeys = "predictable-ratchet-keys";
    /// Restores its keys from the backup that was made when it enlisted, and knows nothing of what was shown since.
    RestoresKeysOnly = "restores-keys-only";
    /// Answers success to a restore, and goes on with the state that it has.
    RestoresNothing = "restores-nothing";
    /// Answers success whatever a copy is fed with, and does nothing.
    CloneAnswersNothing = "clone-answers-nothing";
    /// Lets a copy of a state work on its original.
    CloneIsNoCopy = "clone-is-no-copy";
    /// Exports an empty state.
    ExportsNothing = "exports-nothing";
    /// Loses the keys of skipped messages when it comes online after it has renewed its prekeys: the store is written anew then, and
    /// only what it needs for new sessions is taken along.
    LosesSkippedKeysOnReturn = "loses-skipped-keys-on-return";
    /// Shows a message again that the gateway delivers again in a later connection: what was shown is remembered per connection.
    ShowsRepeatsOfEarlierConnections = "shows-repeats-of-earlier-connections";
    /// Sends again only what it sent since it came online: what could be asked for is kept with the connection.
    ForgetsSentOnReturn = "forgets-sent-on-return";
    // Of groups whose members misbehave.
    /// Tells a repeated group message by its bytes, and keeps the keys of those that were read.
    ReusesGroupMessageKeys = "reuses-group-message-keys";
    /// Looks for any member's signature key under which a group message verifies.
    AcceptsSignatureOfAnyMember = "accepts-signature-of-any-member";
    /// Verifies the signature of a group message over what it has parsed and writes out anew, with the version that it knows.
    SignatureMissesVersion = "signature-misses-version";
    /// Takes the sender key that it has of a member if it does not know the one that a message names.
    GuessesSenderKey = "guesses-sender-key";
    /// Keeps one sender key for each distribution id, whoever hands it out.
    StoresSenderKeysById = "stores-sender-keys-by-id";
    /// Does not look at the version byte of sender keys and of messages under them: there is but one version.
    IgnoresGroupVersion = "ignores-group-version";
    /// Cuts off as many bytes of a decrypted group message as its last one says, and does not look at the others.
    ReadsWrongCipherPadding = "reads-wrong-cipher-padding";
    /// Throws a sender key away when a message under it cannot be decrypted, in the belief that a new one will come.
    ForgetsSenderKeyOnBadMessage = "forgets-sender-key-on-bad-message";
    /// Stores how far a sender key has come before it has read the message that says so.
    MovesSenderKeyBeforeReading = "moves-sender-key-before-reading";
    /// Goes as far along a sender key as a message says, whatever that costs.
    FollowsAnyGroupJump = "follows-any-group-jump";
    /// Refuses a group message before which more than 2,000 are missing: it keeps the keys of as many.
    StopsAfterGroupGap = "stops-after-group-gap";
    /// Refuses a sender key that is handed out late: the limit for missing messages is asked of its number too.
    RefusesLateSenderKeys = "refuses-late-sender-keys";
    /// Trusts the library to refuse a signature key of low order, under which anybody can sign; the library does not.
    AcceptsLowOrderSigningKey = "accepts-low-order-signing-key";
    /// Acts on whatever comes under a sender key as if it had come between two users.
    TakesAnyContentInGroups = "takes-any-content-in-groups";
    /// Takes off the padding of a group message if there is any, and goes on without.
    TakesUnpaddedInGroups = "takes-unpadded-in-groups";
    /// Opens a sealed message without a look at its authentication codes: a certificate inside is signed anyway.
    SkipsSealMac = "skips-seal-mac";
    /// Answers an operation that does not exist with success.
    InventsOperation = "invents-operation";
    // What only malformed input under a valid MAC shows, and wire fuzzing finds.
    /// Breaks down over a number or length that is written in more bytes than it needs: its reader of numbers asserts that there are none.
    DiesOnRedundantBytes = "dies-on-redundant-bytes";
    /// Waits for the rest of a content whose last field states more bytes than there are, as if it came from a stream.
    WaitsForMissingBytes = "waits-for-missing-bytes";
    /// Sets aside room for what may follow each time that a content names a field again, and never gives it back.
    KeepsRoomForRepeats = "keeps-room-for-repeats";
    /// Forgets the session when what it decrypted does not say which message it is: the MAC was right, so that it takes its own state for broken.
    ForgetsSessionOnNamelessContent = "forgets-session-on-nameless-content";
    /// Shows a text that is no UTF-8 with its bad bytes replaced, as lenient readers do.
    ShowsTextThatIsNone = "shows-text-that-is-none";
    /// Closes its channel over a message stanza without a body, as over a protocol error, and does not open it again.
    ClosesOverBadStanza = "closes-over-bad-stanza";
    /// Takes the old session out of the way before it reads the bundle for a new one.
    ForgetsSessionOnBadBundle = "forgets-session-on-bad-bundle";
    /// Breaks down over a sender key whose chain key has another length than all have: it is copied to where there is room for just that.
    DiesOnShortChainKey = "dies-on-short-chain-key";
    /// Throws all sender keys of a group away when one that is handed out for it cannot be read, as if the group had to begin anew.
    ForgetsGroupOnBadSenderKey = "forgets-group-on-bad-sender-key";
    /// Looks up what to do with a sealed message that it cannot read in a table of the three hints that there are, and breaks down beyond it.
    DiesOnUnknownHint = "dies-on-unknown-hint";

    // What a refusal tells.
    /// Asks for a message again if its authentication code is wrong, and not if that is right and the padding behind it wrong.
    TellsWrongPaddingApart = "tells-wrong-padding-apart";
    /// Looks at the length of a ciphertext first, and does not ask again for one that is no whole number of blocks.
    TellsWrongLengthApart = "tells-wrong-length-apart";

    /// Takes the two identity keys under an authentication code in either order, since it was never clear which one comes first.
    TakesIdentitiesEitherWay = "takes-identities-either-way";

    // What shows only when two conditions meet.
    /// Checks the authentication code of a message, but not when the message sets up a session at the same time: that was thought to be
    /// proof enough.
    SkipsMacOfFirstMessage = "skips-mac-of-first-message";
    /// Forgets what was said when it comes online again, so that a reaction to an earlier message is about an unknown one.
    ForgetsTalkOnReturn = "forgets-talk-on-return";
    /// Sends an edit that is asked for again as a message of its own: only texts were thought of.
    ResendsEditAsText = "resends-edit-as-text";
    /// Fetches the file of the first message after it came online again before the store of files is ready, and gives it up.
    LosesFileOnReturn = "loses-file-on-return";
    /// Keeps to its list of blocked users between two, and in groups trusts the gateway with it.
    ShowsBlockedInGroups = "shows-blocked-in-groups";
    /// Tells of no changed identity key while it works on what waited for it: all notices of that time are thrown away.
    MissesIdentityChangeOnReturn = "misses-identity-change-on-return";
    /// Goes on with the classical ratchet alone: what it receives of the post-quantum one is used for the keys of messages, and its
    /// progress is never stored.
    NeverStoresPqProgress = "never-stores-pq-progress";

    /// Signs each text with its user's identity key, so that nobody can change it: its authentication code says that already, and proves
    /// nothing to others.
    SignsItsMessages = "signs-its-messages";

    // What one attack alone shows, and no other.
    /// Refuses a message before which more than 5,000 are missing, as libraries with a lower limit do.
    StopsAfterFarGap = "stops-after-far-gap";
    /// Goes as far along a chain as a message says, whatever that costs.
    FollowsAnyJump = "follows-any-jump";
    /// Keeps the keys of a peer's three newest chains.
    KeepsFewChains = "keeps-few-chains";
    /// Keeps all chains that a peer ever had: nobody counts those that are closed.
    KeepsAllChains = "keeps-all-chains";
    /// Forgets the session when a message has no ciphertext: what takes the optional field for granted breaks down, and what catches that
    /// begins anew.
    ForgetsSessionWithoutCiphertext = "forgets-session-without-ciphertext";
    /// Forgets the session when what it decrypted is no protobuf: it takes the keys for wrong.
    ForgetsSessionOnBadContent = "forgets-session-on-bad-content";
    /// Reads a first message, too, whose keys were derived without the bytes that stand before the agreed secrets: an earlier version of it left
    /// them out.
    TriesWithoutDiscontinuity = "tries-without-discontinuity";
    /// Tries all its one-time prekeys if it does not have the one that a message names.
    TriesEveryOneTimePrekey = "tries-every-one-time-prekey";
    /// Takes no message of an unanswered session that was overtaken by another: each begins with how the session was set up, and that was done.
    RefusesLateFirstMessages = "refuses-late-first-messages";
    /// Keeps the keys of three skipped messages only, as long as it has not answered in a session.
    StopsAfterGapBeforeAnswer = "stops-after-gap-before-answer";
    /// Keeps the text of a first message until it has answered, since a sender may repeat it, and shows it whenever it comes.
    ShowsFirstMessageAgain = "shows-first-message-again";
    /// Keeps the text of the latest message beside its bytes, so as not to decrypt it twice, and shows it whenever they come.
    ShowsLatestMessageAgain = "shows-latest-message-again";
    /// Likewise for the latest message of a group.
    ShowsLatestGroupMessageAgain = "shows-latest-group-message-again";
    /// Takes a message without any byte for a sign of life.
    IgnoresEmptyMessages = "ignores-empty-messages";
    /// Takes messages of later versions for messages of its own, and refuses earlier ones only.
    TakesLaterVersions = "takes-later-versions";
    /// Deletes the old session when the peer begins a new one, unless both did so at once.
    ForgetsAnsweredSessionOnFirstMessage = "forgets-answered-session-on-first-message";
    /// Throws the one-time prekeys away together with the signed prekey that it replaces, while messages made for them are under way.
    DropsOneTimePrekeysOnRotation = "drops-one-time-prekeys-on-rotation";
    /// Keeps a replaced last-resort Kyber prekey only beside the signed prekey that was replaced with it.
    KeepsOldLastResortWithSignedOnly = "keeps-old-last-resort-with-signed-only";
    /// Publishes no new one-time prekeys while it holds two that nobody has used: that all were handed out does not count.
    RefillsByOwnCount = "refills-by-own-count";
    /// Never stores the progress of the post-quantum ratchet in sessions that it began itself.
    LosesPqProgressOfOwnSessions = "loses-pq-progress-of-own-sessions";
    /// Never stores the progress of the post-quantum ratchet in sessions that the peer began.
    LosesPqProgressOfPeersSessions = "loses-pq-progress-of-peers-sessions";
    /// Does not store the session in which it sent a text again, so that the next message is sent under the same key.
    LosesSessionOfResend = "loses-session-of-resend";
    /// Tells of a changed identity key when the user comes online, and not while it is.
    MissesIdentityChangeWhileOnline = "misses-identity-change-while-online";
    /// Never tells its user that a message was delivered: receipts are taken in, and shown nowhere.
    HidesDeliveryReceipts = "hides-delivery-receipts";
    /// Computes the padding without the byte that marks its beginning, so that a content which fills its last block gets one byte more.
    PadsWithoutMarker = "pads-without-marker";
    /// Tells nothing of the members of a group that existed before the user was added to it.
    HidesMembersOfOlderGroups = "hides-members-of-older-groups";
    /// Asks for a group message again that was made for another list, and not for one whose sender key it lacks.
    AsksForNoSenderKey = "asks-for-no-sender-key";
    /// Sends a group message again as it was made, for a list of members that has changed since.
    ResendsForOldList = "resends-for-old-list";
    /// Sends a group message again to whoever asks, and leaves out the sender key that was missing.
    ResendsWithoutSenderKey = "resends-without-sender-key";
    /// Sends no delivery receipts for group messages.
    NoGroupReceipts = "no-group-receipts";
    /// Keeps each sender key as it was before a message, to read that once more after a crash.
    KeepsKeysOfKnownGroupMessages = "keeps-keys-of-known-group-messages";

    // What shows in one of about ten chances: where a byte that should not matter is below 26.
    /// Loses each message whose id ends in such a byte: one shard of its store does not write.
    LosesSomeMessages = "loses-some-messages";
    /// Refuses each session whose base key begins with such a byte: leading zeros of a number are cut off, and some more.
    RefusesSomeSessions = "refuses-some-sessions";
    /// Refuses what comes under a new ratchet key that begins with such a byte, likewise.
    RefusesSomeRatchetKeys = "refuses-some-ratchet-keys";
    /// Cannot read a file whose key begins with such a byte, likewise.
    SpoilsSomeFiles = "spoils-some-files";
}
