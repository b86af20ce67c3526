namespace Piccolo.Core.Certificates.Acme.Messages;

/// <summary>What kind of thing went wrong; decides how long to wait before the next attempt.</summary>
public enum AcmeFailureClass
{
    /// <summary>The CA could not be reached, or the connection broke.</summary>
    Network,

    /// <summary>The CA answered that it is in trouble, or did not finish in time.</summary>
    CaUnavailable,

    /// <summary>The CA wants fewer requests.</summary>
    RateLimited,

    /// <summary>The CA looked for the answer to its challenge and did not find it.</summary>
    ChallengeFailed,

    /// <summary>The CA does not issue for this name.</summary>
    RejectedName,

    /// <summary>The CA refuses the account, or wants something of its owner.</summary>
    Account,

    /// <summary>The response of the CA was invalid: malformed, too large, contradictory, or a certificate that is not ours.</summary>
    BadResponse,

    /// <summary>The CA refuses the certificate request or its key.</summary>
    BadCsr,

    /// <summary>This device's clock is wrong: what the CA shows is not valid at the time that the device has.</summary>
    Clock,

    /// <summary>The CA refuses the form of a request.</summary>
    RefusedRequest,

    /// <summary>A fault of the appliance itself.</summary>
    Internal,

    /// <summary>The appliance stopped in the middle of an order.</summary>
    Interrupted,
}

/// <summary>Why an exchange with the CA did not give what was asked for.</summary>
/// <param name="Code">Stable, snake_case.</param>
/// <param name="Detail">The CA's own words where it gave some, cleaned; else one plain sentence. Never a secret.</param>
internal sealed record AcmeFailure(AcmeFailureClass Class, string Code, string Detail)
{
    /// <summary>When the CA said that it wants to be asked again.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public AcmeProblem? Problem { get; init; }

    /// <summary>The HTTP status; null where no answer came.</summary>
    public int? Status { get; init; }

    /// <summary>The name that it is about, where it is about one.</summary>
    public string? Name { get; init; }

    public static AcmeFailure Bad(string code, string detail) => new(AcmeFailureClass.BadResponse, code, detail);

    /// <summary>The same without <paramref name="secret"/>: some CAs quote the key authorization that they expected.</summary>
    public AcmeFailure Without(string secret) => this with { Detail = Detail.Replace(secret, "[masked]", StringComparison.Ordinal) };
}
