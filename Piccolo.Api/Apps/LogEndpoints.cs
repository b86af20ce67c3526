using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http.HttpResults;
using Piccolo.Api.Http;
using Piccolo.Api.Security;
using Piccolo.Core.Apps;
using Piccolo.Core.Containers;
using Piccolo.Core.ControlStore;

namespace Piccolo.Api.Apps;

/// <param name="Stream"><c>stdout</c> or <c>stderr</c>.</param>
public sealed record LogLineResponse(DateTimeOffset At, string Service, string Stream, string Text);

public sealed record LogResponse(IReadOnlyList<LogLineResponse> Lines);

/// <summary>What an app's services print.</summary>
internal static class LogEndpoints
{
    private const int MaxTail = 5000;

    /// <summary>Of one response, in characters: the oldest lines are left out first.</summary>
    private const int MaxChars = 4 * 1024 * 1024;
    private const int DefaultTail = 200;

    public static RouteGroupBuilder MapAppLogs(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/apps/{name}").WithTags("apps").RequireUnlocked().RequireOwner();
        group.MapGet("/logs", ReadAsync).WithName("ReadAppLog")
            .WithSummary("The last lines that an app's services printed; with follow=true as server-sent events that go on, of one service.");
        return group;
    }

    private static async Task<Results<Ok<LogResponse>, ServerSentEventsResult<LogLineResponse>, ProblemHttpResult>> ReadAsync(
        string name, AppCatalog catalog, IContainerRuntime engine, SealedStore store, CancellationToken cancellationToken,
        string? service = null, int tail = DefaultTail, DateTimeOffset? since = null, bool follow = false)
    {
        if (catalog.Find(name) is not { } app) return Problems.NotFound($"app '{name}'");
        if (tail is < 1 or > MaxTail)
        {
            var errors = new Dictionary<string, string[]> { ["tail"] = [$"The number of lines is 1 to {MaxTail}."] };
            return Problems.Invalid("invalid_query", "Invalid query", errors);
        }
        if (service is not null && app.Manifest.Services.All(s => s.Name != service)) return Problems.NotFound($"service '{service}' of app '{name}'");
        var containers = await FindAsync(app, service, engine, cancellationToken);
        if (containers.Fault is { } fault)
            return Problems.Of(StatusCodes.Status503ServiceUnavailable, "engine_fault", "Container engine", fault.Sentence, fault.NextStep);
        if (follow)
        {
            var one = containers.Value!.FirstOrDefault(c => c.Service == (service ?? app.Manifest.Main.Name));
            return one is null
                ? Problems.NotFound($"container of app '{name}'")
                : TypedResults.ServerSentEvents(FollowAsync(one, tail, since, engine, store, cancellationToken), eventType: "line");
        }
        List<LogLineResponse> lines = [];
        foreach (var container in containers.Value!)
            lines = Newest(lines.Concat(await ReadOneAsync(container, tail, since, engine, cancellationToken)), tail);
        return TypedResults.Ok(new LogResponse(lines));
    }

    private static List<LogLineResponse> Newest(IEnumerable<LogLineResponse> lines, int tail)
    {
        var left = MaxChars;
        var newest = lines.OrderByDescending(l => l.At).Take(tail).TakeWhile(l => (left -= l.Text.Length) >= 0).ToList();
        newest.Reverse();
        return newest;
    }

    private static async Task<IEnumerable<LogLineResponse>> ReadOneAsync(
        ObservedContainer container, int tail, DateTimeOffset? since, IContainerRuntime engine, CancellationToken cancellationToken)
    {
        var lines = new Queue<LogLineResponse>();
        var chars = 0;
        await foreach (var line in engine.ReadLogAsync(container.Id, tail, since, follow: false, cancellationToken))
        {
            lines.Enqueue(Of(container, line));
            chars += line.Text.Length;
            while (chars > MaxChars) chars -= lines.Dequeue().Text.Length;
        }
        return lines;
    }

    private static async Task<ContainerResult<List<ObservedContainer>>> FindAsync(
        AppRecord app, string? service, IContainerRuntime engine, CancellationToken cancellationToken)
    {
        var found = new List<ObservedContainer>();
        foreach (var one in app.Manifest.Services.Where(s => service is null || s.Name == service))
        {
            var container = await engine.FindAsync(app.Name, one.Name, cancellationToken);
            if (container.Fault is { } fault) return fault;
            if (container.Value is { } there) found.Add(there);
        }
        return found;
    }

    /// <summary>Ends with the container, and at a lock: what apps print is not for those who cannot unlock.</summary>
    private static async IAsyncEnumerable<LogLineResponse> FollowAsync(
        ObservedContainer container, int tail, DateTimeOffset? since, IContainerRuntime engine, SealedStore store,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var line in engine.ReadLogAsync(container.Id, tail, since, follow: true, cancellationToken))
        {
            if (!store.IsOpen) yield break;
            yield return Of(container, line);
        }
    }

    private static LogLineResponse Of(ObservedContainer container, ContainerLogLine line) =>
        new(line.At, container.Service, line.IsError ? "stderr" : "stdout", line.Text);
}
