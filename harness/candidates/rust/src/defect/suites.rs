//! Which suites a defect can be made in.

use super::Defect;
use countersign_contract::claims::Suite;

impl Defect {
    /// The suites in which a client can make this mistake: all, but for what concerns Kyber prekeys, the post-quantum ratchet,
    /// groups and sealed messages, which `signal-classic` does not have, and for what libsignal does not let a client do in `signal-pq`. In the other
    /// suites the client is as without the defect.
    #[must_use]
    pub const fn suites(self) -> &'static [Suite] {
        match self {
            _ if self.is_about_groups() || self.is_about_sealing() => &[Suite::SignalPq],
            Self::SkipsKyberPrekeySignature
            | Self::DeletesOldLastResortAtOnce
            | Self::TriesWithoutPqKey
            | Self::AcceptsSessionWithoutSpqr
            | Self::AcceptsOlderAgreement
            | Self::AcceptsLowOrderRatchetKey
            | Self::NeverStoresPqProgress
            | Self::LosesPqProgressOfOwnSessions
            | Self::LosesPqProgressOfPeersSessions
            | Self::KeepsOldLastResortWithSignedOnly
            | Self::IgnoresAddresses => &[Suite::SignalPq],
            Self::AcceptsLowOrderBaseKey
            | Self::NeverTurnsRatchet
            | Self::FollowsAnyJump
            | Self::KeepsAllChains
            | Self::TriesWithoutDiscontinuity => &[Suite::SignalClassic],
            _ => &[Suite::SignalPq, Suite::SignalClassic],
        }
    }
}

impl Defect {
    /// Whether the mistake is made with groups by sender keys.
    pub(super) const fn is_about_groups(self) -> bool {
        matches!(
            self,
            Self::KeepsSenderKeyAfterRemoval
                | Self::HandsOutFirstSenderKey
                | Self::HandsKeysToFew
                | Self::SkipsSenderKeySignature
                | Self::ListensToRemovedMembers
                | Self::TakesSenderKeyAnywhere
                | Self::TakesSenderKeyFromStrangers
                | Self::SharesSenderKeys
                | Self::GuessesMessageKind
                | Self::IgnoresGroupOfStanza
                | Self::TrustsStanzaForGroup
                | Self::HidesAddedMembers
                | Self::IgnoresGroupList
                | Self::ComparesListVersionOnly
                | Self::DropsLateGroupMessages
                | Self::ReplaysGroupMessage
                | Self::IgnoresGroupRetry
                | Self::AsksNoGroupAgain
                | Self::ShowsBlockedInGroups
                | Self::DropsGroupFiles
                | Self::LosesGroup
                | Self::KeepsOldSenderKeys
                | Self::ReusesGroupMessageKeys
                | Self::AcceptsSignatureOfAnyMember
                | Self::SignatureMissesVersion
                | Self::GuessesSenderKey
                | Self::StoresSenderKeysById
                | Self::IgnoresGroupVersion
                | Self::ReadsWrongCipherPadding
                | Self::ForgetsSenderKeyOnBadMessage
                | Self::DiesOnShortChainKey
                | Self::ForgetsGroupOnBadSenderKey
                | Self::MovesSenderKeyBeforeReading
                | Self::FollowsAnyGroupJump
                | Self::StopsAfterGroupGap
                | Self::RefusesLateSenderKeys
                | Self::AcceptsLowOrderSigningKey
                | Self::TakesAnyContentInGroups
                | Self::TakesUnpaddedInGroups
                | Self::ShowsLatestGroupMessageAgain
                | Self::HidesMembersOfOlderGroups
                | Self::AsksForNoSenderKey
                | Self::ResendsForOldList
                | Self::ResendsWithoutSenderKey
                | Self::NoGroupReceipts
                | Self::KeepsKeysOfKnownGroupMessages
        )
    }

    /// Whether the mistake is made with sealed messages.
    pub(super) const fn is_about_sealing(self) -> bool {
        matches!(
            self,
            Self::SkipsTrustRoot
                | Self::ChecksServerCertificateOnly
                | Self::IgnoresCertificateExpiry
                | Self::TakesAnyCertifiedDevice
                | Self::BelievesCertifiedKey
                | Self::ShowsCertifiedSender
                | Self::ShowsSealedOfBlocked
                | Self::AsksUncertifiedAgain
                | Self::SendsOpenly
                | Self::ResendsOpenly
                | Self::NamesSenderBesideSeal
                | Self::KeepsCertificate
                | Self::SkipsSealMac
                | Self::DiesOnUnknownHint
        )
    }

    /// Whether the mistake is made with keys and sessions, for which each suite has code of its own. Every other mistake is made once,
    /// whichever the suite.
    #[must_use]
    pub const fn has_code_per_suite(self) -> bool {
        matches!(
            self,
            Self::SkipsSignedPrekeySignature
                | Self::SkipsKyberPrekeySignature
                | Self::AcceptsSignatureOfAnyContact
                | Self::AcceptsLowOrderOneTimePrekey
                | Self::AcceptsLowOrderSignedPrekey
                | Self::IgnoresOneTimePrekey
                | Self::NeedsOneTimePrekey
                | Self::RefusesFirstMessageWithoutOneTimePrekey
                | Self::KeepsUsedOneTimePrekey
                | Self::RefillsWithUsedIds
                | Self::DeletesOldSignedPrekeyAtOnce
                | Self::SilentIdentityChange
                | Self::SafetyNumberOfOneKey
                | Self::SafetyNumberEndsAtZero
                | Self::SafetyNumberOfFirstKey
                | Self::FallsBackToCurrentSignedPrekey
                | Self::ReplaysFirstMessage
                | Self::ReplaysLaterMessage
                | Self::DropsLateMessages
                | Self::LosesSkippedKeysOnReturn
                | Self::StopsAfterGap
                | Self::StopsAfterLongGap
                | Self::OverwritesSessionOnSimultaneousStart
                | Self::LosesOneSessionWrite
                | Self::SkipsMac
                | Self::FlakyMac
                | Self::MacMissesAField
                | Self::TrustsOuterIdentity
                | Self::HoldsToFirstRegistrationId
                | Self::ForgetsSessionOnMalformed
                | Self::SharedKeyStore
                | Self::ForgetsPrekeysAfterAWeek
                | Self::RestoresBackupOnReinstall
                | Self::IgnoresNewSession
                | Self::ForgetsOldSessionOnFetch
                | Self::ForgetsOldSessionOnFirstMessage
                | Self::DeletesOldLastResortAtOnce
                | Self::SetsUpOnce
                | Self::IgnoresMessageVersion
                | Self::ForgetsLastResortUses
                | Self::KeepsStaleSession
                | Self::IgnoresUnknownOneTimePrekey
                | Self::TriesWithoutOneTimePrekey
                | Self::TriesWithoutPqKey
                | Self::AcceptsSessionWithoutSpqr
                | Self::AcceptsOlderAgreement
                | Self::TakesBaseKeyTwice
                | Self::AcceptsLowOrderBaseKey
                | Self::AcceptsLowOrderRatchetKey
                | Self::IgnoresAddresses
                | Self::NeverTurnsRatchet
                | Self::KeepsOldSessions
                | Self::LogsMessageKeys
                | Self::KeepsAllSkippedKeys
                | Self::KeepsUsedPrekeysInStore
                | Self::NotesBeforeChecking
                | Self::UsesUpBeforeChecking
                | Self::PredictableRatchetKeys
                | Self::ForgetsSessionOnNamelessContent
                | Self::ForgetsSessionOnBadBundle
                | Self::TellsWrongPaddingApart
                | Self::TakesIdentitiesEitherWay
                | Self::SkipsMacOfFirstMessage
                | Self::NeverStoresPqProgress
                | Self::StopsAfterFarGap
                | Self::FollowsAnyJump
                | Self::KeepsFewChains
                | Self::KeepsAllChains
                | Self::ForgetsSessionWithoutCiphertext
                | Self::TriesWithoutDiscontinuity
                | Self::TriesEveryOneTimePrekey
                | Self::RefusesLateFirstMessages
                | Self::StopsAfterGapBeforeAnswer
                | Self::TakesLaterVersions
                | Self::ForgetsAnsweredSessionOnFirstMessage
                | Self::DropsOneTimePrekeysOnRotation
                | Self::KeepsOldLastResortWithSignedOnly
                | Self::LosesPqProgressOfOwnSessions
                | Self::LosesPqProgressOfPeersSessions
        )
    }
}
