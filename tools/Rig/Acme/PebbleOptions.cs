namespace Piccolo.Rig.Acme;

/// <summary>Which Pebble is started.</summary>
public enum PebbleEdition
{
    /// <summary>The installed package, whatever its version.</summary>
    Installed,

    /// <summary>2.10 or newer, which <c>./dev setup</c> brings: renewal hints (RFC 9773) and profiles.</summary>
    Current,
}

/// <summary>How a Pebble behaves.</summary>
public sealed record PebbleOptions
{
    /// <summary>Where Pebble looks for HTTP-01 answers, instead of 80.</summary>
    public required int HttpPort { get; init; }

    /// <summary>Where Pebble looks for TLS-ALPN-01 answers, instead of 443.</summary>
    public int TlsPort { get; init; } = 443;

    /// <summary>For instance of a <see cref="ChallengeTestServer"/>.</summary>
    public required string DnsServer { get; init; }

    /// <summary>Validates at once; else Pebble waits up to 15 s before it looks.</summary>
    public bool NoSleep { get; init; } = true;

    /// <summary>Which share of good nonces is rejected, in percent.</summary>
    public int NonceRejectPercent { get; init; }

    /// <summary>How often a valid authorization is used again, in percent.</summary>
    public int AuthorizationReusePercent { get; init; }

    /// <summary>Lifetime of issued certificates.</summary>
    public TimeSpan CertificateLifetime { get; init; } = TimeSpan.FromDays(90);

    /// <summary>Names for which, and below which, nothing is issued.</summary>
    public IReadOnlyList<string> BlockedNames { get; init; } = [];

    /// <summary>Key id to base64url MAC key; where there is any, every account must be bound to one.</summary>
    public IReadOnlyDictionary<string, string> ExternalAccounts { get; init; } = new Dictionary<string, string>();

    /// <summary>Intermediates between leaf and root.</summary>
    public int ChainLength { get; init; } = 1;

    public PebbleEdition Edition { get; init; }

    /// <summary>Further profiles and their lifetimes, beside <c>default</c>; only of the current edition.</summary>
    public IReadOnlyDictionary<string, TimeSpan> Profiles { get; init; } = new Dictionary<string, TimeSpan>();

    /// <summary>How many more roots each intermediate is signed by: the CA offers as many alternate chains.</summary>
    public int AlternateRoots { get; init; }

    /// <summary>Breaks what RFC 8555 lets a CA break in future.</summary>
    public bool IsStrict { get; init; }

    /// <summary>With <see cref="NoSleep"/> off: the longest pause in seconds before Pebble looks.</summary>
    public int SleepSeconds { get; init; } = 15;

    /// <summary>Port of the directory; 0 chooses a free one. A fixed one lets a test start the CA again where it was.</summary>
    public int Port { get; init; }
}
