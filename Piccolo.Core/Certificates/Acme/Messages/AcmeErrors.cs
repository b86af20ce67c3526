using Piccolo.Core.Certificates.Acme.Wire;

namespace Piccolo.Core.Certificates.Acme.Messages;

/// <summary>From the CA's error answers to failure classes (RFC 8555, 6.7). Pure.</summary>
internal static class AcmeErrors
{
    public const string ProblemJson = "application/problem+json";
    public const string BadNonce = "badNonce";
    public const string AccountDoesNotExist = "accountDoesNotExist";
    public const string OrderNotReady = "orderNotReady";
    public const string AlreadyRevoked = "alreadyRevoked";
    public const string Unauthorized = "unauthorized";

    public static AcmeFailure FromAnswer(AcmeAnswer answer)
    {
        var problem = answer.MediaType == ProblemJson && AcmeJson.TryRead<ProblemMessage>(answer.Body) is { } message ? AcmeProblem.From(message) : null;
        var kind = ClassOf(problem?.Type, answer.Status);
        var code = problem is { Type: not ("" or "about:blank") } ? problem.Code : $"http_{answer.Status}";
        var detail = problem?.Sentence is { Length: > 0 } words ? words : $"The CA answered with HTTP status {answer.Status}.";
        // Where the owner is to go; the words alone may not say it (RFC 8555, 7.3.3).
        if (problem is { Type: "userActionRequired", Instance: { } address }) detail = $"{detail.TrimEnd('.')}. See {address}";
        return new AcmeFailure(kind, code, detail) { Problem = problem, RetryAfter = answer.RetryAfter, Status = answer.Status };
    }

    /// <summary>What a challenge says that the CA found when it looked.</summary>
    public static AcmeFailure FromChallenge(string name, AcmeProblem? problem) => new(
        AcmeFailureClass.ChallengeFailed,
        problem is null ? "challenge_failed" : "challenge_" + problem.Code,
        problem?.Sentence is { Length: > 0 } words ? words : $"The CA could not validate {name} and gives no reason.")
    { Problem = problem, Name = name };

    /// <summary>Why an order became invalid.</summary>
    public static AcmeFailure FromOrder(AcmeProblem? problem) => problem is null
        ? new AcmeFailure(AcmeFailureClass.ChallengeFailed, "order_invalid", "The CA made the order invalid and gives no reason.")
        : new AcmeFailure(ClassOf(problem.Type, problem.Status ?? 403), problem.Code, problem.Sentence) { Problem = problem };

    private static AcmeFailureClass ClassOf(string? type, int status) => type switch
    {
        "rateLimited" => AcmeFailureClass.RateLimited,
        "rejectedIdentifier" or "unsupportedIdentifier" => AcmeFailureClass.RejectedName,
        "dns" or "connection" or "caa" or "tls" or "incorrectResponse" => AcmeFailureClass.ChallengeFailed,
        "badCSR" or "badPublicKey" => AcmeFailureClass.BadCsr,
        AccountDoesNotExist or Unauthorized or "externalAccountRequired" or "userActionRequired" or "invalidContact" or "unsupportedContact" =>
            AcmeFailureClass.Account,
        "serverInternal" or OrderNotReady => AcmeFailureClass.CaUnavailable,
        BadNonce => AcmeFailureClass.BadResponse,
        _ => status switch
        {
            429 => AcmeFailureClass.RateLimited,
            >= 500 => AcmeFailureClass.CaUnavailable,
            >= 400 => AcmeFailureClass.RefusedRequest,
            // A redirect, or a success where there should be none: not what a CA does.
            _ => AcmeFailureClass.BadResponse,
        },
    };
}
