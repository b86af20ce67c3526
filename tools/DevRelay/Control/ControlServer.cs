using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Piccolo.DevRelay.Control;

/// <summary>The control port: JSON over HTTP, on loopback only, for scripts that watch the relay or make it misbehave.</summary>
internal sealed class ControlServer : IAsyncDisposable
{
    private const double MaxClockOffset = 315_360_000;

    private readonly WebApplication _app;

    private ControlServer(WebApplication app, IPEndPoint listen)
    {
        _app = app;
        Listen = listen;
    }

    public IPEndPoint Listen { get; }

    public static async Task<ControlServer> StartAsync(IPEndPoint listen, Relay relay, CancellationToken cancellationToken)
    {
        if (!listen.Address.Equals(IPAddress.Loopback) && !listen.Address.Equals(IPAddress.IPv6Loopback))
            throw new ArgumentException("The control port has no authentication and is for loopback only.", nameof(listen));
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(listen);
            kestrel.Limits.MaxRequestBodySize = 1 << 20;
        });
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            json.SerializerOptions.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        });
        var app = builder.Build();
        app.MapGet("/healthz", () => TypedResults.Ok(new Dictionary<string, string> { ["status"] = "ok" }));
        app.MapGet("/sessions", () => TypedResults.Ok(relay.Sessions().Select(SessionResponse.From)));
        app.MapGet("/metrics", () => TypedResults.Text(relay.Metrics(), "text/plain; version=0.0.4"));
        app.MapPost("/faults", (FaultsRequest request) => Apply(request, relay));
        await app.StartAsync(cancellationToken);
        return new ControlServer(app, IPEndPoint.Parse(new Uri(app.Urls.First()).Authority));
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private static IResult Apply(FaultsRequest request, Relay relay)
    {
        if (request.ChallengeDelaySeconds is { } delay && !(delay is >= 0 and <= 3_600)) return Invalid("challenge_delay_seconds lies between 0 and 3600.");
        if (request.ClockOffsetSeconds is { } offset && !(offset is >= -MaxClockOffset and <= MaxClockOffset))
            return Invalid("clock_offset_seconds lies within ten years.");
        if (!TryReadInjection(request.Inject, out var isText, out var message)) return Invalid("inject takes either text or base64.");
        var faults = relay.Faults;
        faults.RefuseNewSessions = request.RefuseNewSessions ?? faults.RefuseNewSessions;
        faults.Hang = request.Hang ?? faults.Hang;
        faults.OmitCredits = request.OmitCredits ?? faults.OmitCredits;
        faults.DropReplenish = request.DropReplenish ?? faults.DropReplenish;
        faults.HoldReplenish = request.HoldReplenish ?? faults.HoldReplenish;
        faults.Mute = request.Mute ?? faults.Mute;
        faults.ChallengeDelay = request.ChallengeDelaySeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : faults.ChallengeDelay;
        faults.RefuseReauth = request.RefuseReauth ?? faults.RefuseReauth;
        faults.CarryNoStream = request.CarryNoStream ?? faults.CarryNoStream;
        faults.EndTls = request.EndTls ?? faults.EndTls;
        faults.StallUsers = request.StallUsers ?? faults.StallUsers;
        faults.LoseDisconnects = request.LoseDisconnects ?? faults.LoseDisconnects;
        faults.RepeatDisconnects = request.RepeatDisconnects ?? faults.RepeatDisconnects;
        faults.AnswerNoQuestion = request.AnswerNoQuestion ?? faults.AnswerNoQuestion;
        faults.ClockOffset = request.ClockOffsetSeconds is { } ahead ? TimeSpan.FromSeconds(ahead) : faults.ClockOffset;
        var injected = message is null ? 0 : relay.Inject(isText, message);
        var dropped = request.DropSessions is true ? relay.DropSessions() : 0;
        var stranded = request.StrandSessions is true ? relay.StrandSessions() : 0;
        return TypedResults.Ok(new FaultsResponse(
            faults.RefuseNewSessions, faults.Hang, faults.OmitCredits, faults.DropReplenish, faults.HoldReplenish, faults.Mute,
            faults.RefuseReauth, faults.CarryNoStream, faults.EndTls, faults.StallUsers, faults.LoseDisconnects, faults.RepeatDisconnects,
            faults.AnswerNoQuestion,
            faults.ChallengeDelay.TotalSeconds, faults.ClockOffset.TotalSeconds, dropped, stranded, injected));
    }

    private static Microsoft.AspNetCore.Http.HttpResults.ProblemHttpResult Invalid(string detail) =>
        TypedResults.Problem(detail, statusCode: StatusCodes.Status400BadRequest);

    private static bool TryReadInjection(InjectRequest? request, out bool isText, out byte[]? message)
    {
        isText = request?.Text is not null;
        message = null;
        if (request is null) return true;
        if (isText == request.Base64 is not null) return false;
        if (isText)
        {
            message = Encoding.UTF8.GetBytes(request.Text!);
            return true;
        }

        message = new byte[request.Base64!.Length];
        var valid = Convert.TryFromBase64String(request.Base64, message, out var length);
        message = message[..length];
        return valid;
    }
}
