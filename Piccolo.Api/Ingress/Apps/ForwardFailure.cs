namespace Piccolo.Api.Ingress.Apps;

/// <summary>How forwarding came out, by whichever way it went.</summary>
internal enum ForwardOutcome
{
    Done,

    /// <summary>Nobody accepts connections.</summary>
    Unavailable,

    /// <summary>No answer came in time.</summary>
    TimedOut,

    /// <summary>The app broke off, or what it said is no answer.</summary>
    BadAnswer,

    /// <summary>The request cannot go on as it is.</summary>
    BadRequest,

    /// <summary>The client went away.</summary>
    ClientGone,
}

/// <summary>What a client is told of a request that failed.</summary>
internal readonly record struct ForwardFailure(int Status, string Code, string Title, string Detail)
{
    public static ForwardFailure Of(ForwardOutcome outcome) => outcome switch
    {
        ForwardOutcome.TimedOut =>
            new(StatusCodes.Status504GatewayTimeout, "app_timeout", "The app does not answer", "The app took the request but sent no answer in time."),
        ForwardOutcome.Unavailable =>
            new(StatusCodes.Status503ServiceUnavailable, "app_unavailable", "The app is not running", "The app does not accept connections. It may be starting."),
        ForwardOutcome.BadRequest =>
            new(StatusCodes.Status400BadRequest, "bad_request_target", "The request is unusable", "The address has characters in it that no address may have."),
        _ => new(StatusCodes.Status502BadGateway, "app_bad_answer", "The app's answer is unusable", "The app broke off, or did not answer as its listener declares."),
    };
}
