using System.Collections.Immutable;
using System.Globalization;
using Docker.DotNet;
using Docker.DotNet.Models;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.Primitives;
using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Core.Containers;

/// <summary>
/// Podman through its REST socket: Docker's API 1.41, and its own where that has no word for it. Owns the clients.
/// </summary>
internal sealed partial class PodmanRuntime : IContainerRuntime, IDisposable
{
    /// <summary>What of an engine's own words goes to the log.</summary>
    private const int MaxLoggedChars = 1024;
    private static readonly System.Version ApiVersion = new(1, 41);
    private static readonly string[] EndingActions = ["die", "died", "oom", "remove", "destroy"];

    private readonly InstanceId _instance;
    private readonly ContainerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<PodmanRuntime> _logger;
    private readonly EngineReach _reach;
    private readonly DockerClient? _client;
    private readonly LibpodClient? _libpod;

    public PodmanRuntime(InstanceId instance, IOptions<ContainerOptions> options, TimeProvider time, ILogger<PodmanRuntime> logger)
    {
        (_instance, _options, _time, _logger, _reach) = (instance, options.Value, time, logger, new EngineReach(logger));
        if (_options.Socket.Length == 0) return;
        _client = new DockerClientBuilder().WithEndpoint(new Uri("unix://" + Path.GetFullPath(_options.Socket)))
            .WithApiVersion(ApiVersion).WithTimeout(Timeout.InfiniteTimeSpan).Build();
        _libpod = new LibpodClient(Path.GetFullPath(_options.Socket));
    }

    public bool IsConfigured => _client is not null;

    public ChangeSignal Changed { get; } = new();

    public Task<ContainerResult<ImmutableArray<ObservedContainer>>> ListAsync(CancellationToken cancellationToken) =>
        CallAsync("list", async (client, token) =>
        {
            var found = await client.Containers.ListContainersAsync(new ContainersListParameters { All = true, Filters = OurLabel() }, token);
            return new ContainerResult<ImmutableArray<ObservedContainer>>(
                [.. found.Where(c => IsOurs(c.Labels) && c.Names?.Any(n => IsOurName(n)) == true).Select(Observe)], null);
        }, cancellationToken);

    public Task<ContainerResult<ObservedContainer?>> FindAsync(string app, CancellationToken cancellationToken) =>
        CallAsync("find", async (client, token) =>
        {
            var name = ContainerSpec.NameOf(_instance, app);
            // From the list, which tells no environment: a locked appliance that looks after its stopped apps must not read their secrets again.
            var named = await client.Containers.ListContainersAsync(new ContainersListParameters { All = true, Filters = Named(name) }, token);
            if (named.FirstOrDefault(c => c.Names?.Any(n => n.TrimStart('/') == name) == true) is not { } listed)
                return new ContainerResult<ObservedContainer?>(null, null);
            if (!IsOurs(listed.Labels)) return EngineErrors.Foreign(name);
            if (ExitCodeIn(listed) is { } known) return Observe(listed) with { ExitCode = known < 0 ? null : known };
            return await InspectAsync(client, name, token) is { } found ? Observe(found) : new ContainerResult<ObservedContainer?>(null, null);
        }, cancellationToken);

    public Task<ContainerResult<bool>> HasImageAsync(ImageReference image, CancellationToken cancellationToken) =>
        CallAsync<bool>("inspect image", async (client, token) =>
        {
            try
            {
                await client.Images.InspectImageAsync(image.ToString(), token);
                return true;
            }
            catch (DockerImageNotFoundException)
            {
                return false;
            }
        }, cancellationToken);

    public Task<ContainerResult<string?>> NewerImageAsync(string app, ImageReference image, CancellationToken cancellationToken) =>
        CallAsync<string?>("compare images", async (client, token) =>
        {
            var named = await client.Images.InspectImageAsync(image.ToString(), token);
            var container = await InspectAsync(client, ContainerSpec.NameOf(_instance, app), token);
            return new ContainerResult<string?>(container is null || IdOf(container.Image) == IdOf(named.ID) ? null : IdOf(named.ID), null);

            static string? IdOf(string? id) => id?.Split(':')[^1];
        }, cancellationToken);

    public async Task<ContainerFault?> PullAsync(ImageReference image, CancellationToken cancellationToken)
    {
        var result = await CallAsync<bool>("pull", async (client, token) =>
        {
            using var limit = new CancellationTokenSource(_options.PullTimeout, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(token, limit.Token);
            var progress = new PullProgress();
            try
            {
                // The whole reference goes into one member: the engine splits tag and digest itself, and an empty tag would mean all tags.
                await client.Images.CreateImageAsync(new ImagesCreateParameters { FromImage = image.ToString() }, null, progress, either.Token);
            }
            catch (OperationCanceledException) when (limit.IsCancellationRequested && !token.IsCancellationRequested)
            {
                return EngineErrors.PullTimedOut(image, _options.PullTimeout);
            }
            if (progress.Error is not { } text) return true;
            var fault = EngineErrors.FromPull(image, text);
            _logger.EngineRefused("pull", fault.Kind, Cut(text));
            return fault;
        }, Timeout.InfiniteTimeSpan, cancellationToken);
        if (result.Fault is null) _logger.ImagePulled(image.ToString());
        return result.Fault;
    }

    public Task<ContainerFault?> StartAsync(string id, CancellationToken cancellationToken) =>
        OnOursAsync(
            "start", id, (client, token) => client.Containers.StartContainerAsync(id, null, token), missing: EngineErrors.NotFound,
            _options.CallTimeout, cancellationToken);

    public Task<ContainerFault?> StopAsync(string id, TimeSpan grace, CancellationToken cancellationToken)
    {
        var parameters = new ContainerStopParameters { WaitBeforeKillSeconds = (uint)Math.Ceiling(grace.TotalSeconds) };
        return OnOursAsync(
            "stop", id, (client, token) => client.Containers.StopContainerAsync(id, parameters, token), missing: null, grace + _options.CallTimeout,
            cancellationToken);
    }

    public Task<ContainerFault?> RemoveAsync(string id, CancellationToken cancellationToken) => RemoveAsync(id, andAnonymousVolumes: false, cancellationToken);

    /// <summary>Follows the engine's events and raises <see cref="Changed"/>. Returns when the engine ends the stream or is away.</summary>
    public async Task<ContainerFault?> WatchAsync(CancellationToken cancellationToken)
    {
        // A little of the past is asked for, so that nothing falls between this question and the subscription.
        var since = _time.GetUtcNow().AddSeconds(-2).ToUnixTimeSeconds();
        var hello = await CallAsync<bool>("ping", async (client, token) =>
        {
            await client.System.PingAsync(token);
            return true;
        }, cancellationToken);
        if (hello.Fault is not null) return hello.Fault;
        _logger.WatchBegan(_options.Socket);
        Changed.Raise();
        var ended = await CallAsync<bool>("events", async (client, token) =>
        {
            var parameters = new ContainerEventsParameters { Since = since.ToString(System.Globalization.CultureInfo.InvariantCulture), Filters = OurLabel() };
            await client.System.MonitorEventsAsync(parameters, new EventSink(OnEvent), token);
            return true;
        }, Timeout.InfiniteTimeSpan, cancellationToken);
        Changed.Raise();
        return ended.Fault;
    }

    public void Dispose()
    {
        _client?.Dispose();
        _libpod?.Dispose();
    }

    private Task<ContainerFault?> RemoveAsync(string id, bool andAnonymousVolumes, CancellationToken cancellationToken)
    {
        var parameters = new ContainerRemoveParameters { Force = true, RemoveVolumes = andAnonymousVolumes };
        return OnOursAsync(
            "remove", id, (client, token) => client.Containers.RemoveContainerAsync(id, parameters, token), missing: null, _options.CallTimeout,
            cancellationToken);
    }

    private void OnEvent(Message message)
    {
        _logger.EventHeard(message.Action ?? "", message.Actor?.ID ?? "");
        if (EndingActions.Contains(message.Action)) Changed.Raise();
    }

    /// <summary>Looks at the labels before anything is done to a container, whatever id a caller brings.</summary>
    private async Task<ContainerFault?> OnOursAsync(
        string operation, string id, Func<DockerClient, CancellationToken, Task> act, ContainerFault? missing, TimeSpan timeout,
        CancellationToken cancellationToken)
    {
        var result = await CallAsync<bool>(operation, async (client, token) =>
        {
            if (await InspectAsync(client, id, token) is not { } found) return new ContainerResult<bool>(false, missing);
            if (!IsOurs(found.Config?.Labels) || !IsOurName(found.Name)) return EngineErrors.Foreign(found.Name?.TrimStart('/') ?? id);
            try
            {
                await act(client, token);
            }
            catch (DockerContainerNotFoundException)
            {
                return new ContainerResult<bool>(false, missing);
            }
            return true;
        }, timeout, cancellationToken);
        return result.Fault;
    }

    private static async Task<ContainerInspectResponse?> InspectAsync(DockerClient client, string id, CancellationToken cancellationToken)
    {
        try
        {
            return await client.Containers.InspectContainerAsync(id, cancellationToken);
        }
        catch (DockerContainerNotFoundException)
        {
            return null;
        }
    }

    private Task<ContainerResult<T>> CallAsync<T>(
        string operation, Func<DockerClient, CancellationToken, Task<ContainerResult<T>>> call, CancellationToken cancellationToken) =>
        CallAsync(operation, call, _options.CallTimeout, cancellationToken);

    private async Task<ContainerResult<T>> CallAsync<T>(
        string operation, Func<DockerClient, CancellationToken, Task<ContainerResult<T>>> call, TimeSpan timeout, CancellationToken cancellationToken)
    {
        LoopThread.MustNotBlock(operation);
        if (_client is null) return EngineErrors.NoEngine;
        using var limit = new CancellationTokenSource(timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            var result = await call(_client, either.Token);
            _reach.Answered();
            return result;
        }
        catch (DockerApiException e)
        {
            _reach.Answered();
            var fault = EngineErrors.FromAnswer(e);
            _logger.EngineRefused(operation, fault.Kind, Cut(e.ResponseBody ?? ""));
            return fault;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && (EngineErrors.IsTransport(e) || e is OperationCanceledException))
        {
            _reach.Lost(operation, limit.IsCancellationRequested ? $"no answer within {timeout}" : e.Message);
            return EngineErrors.Unreachable(_options.Socket);
        }
    }

    private Dictionary<string, IDictionary<string, bool>> OurLabel() =>
        new() { ["label"] = new Dictionary<string, bool> { [$"{ContainerLabels.Instance}={_instance.Value}"] = true } };

    private static Dictionary<string, IDictionary<string, bool>> Named(string name) =>
        new() { ["name"] = new Dictionary<string, bool> { [$"^{name}$"] = true } };

    /// <returns>-1 where there was no end yet; null where the list does not tell.</returns>
    private static int? ExitCodeIn(ContainerListResponse listed)
    {
        const string exited = "Exited (";
        if (listed.State is "running" or "created" or "configured") return -1;
        if (listed.Status?.StartsWith(exited, StringComparison.Ordinal) != true) return null;
        var end = listed.Status.IndexOf(')', StringComparison.Ordinal);
        return end > 0 && int.TryParse(listed.Status.AsSpan(exited.Length, end - exited.Length), CultureInfo.InvariantCulture, out var code) ? code : null;
    }

    private bool IsOurs(IDictionary<string, string>? labels) =>
        labels is not null && labels.TryGetValue(ContainerLabels.Instance, out var owner) && owner == _instance.Value;

    /// <summary>An image that was made of one of our containers has its labels, and so has every container of the owner's that is made of that image.</summary>
    private bool IsOurName(string? name) => name?.TrimStart('/').StartsWith(ContainerSpec.NameOf(_instance, ""), StringComparison.Ordinal) == true;

    private static ObservedContainer Observe(ContainerListResponse found) =>
        new(found.ID, found.Names?.FirstOrDefault()?.TrimStart('/') ?? "", Label(found.Labels, ContainerLabels.App), Label(found.Labels, ContainerLabels.Spec),
            found.State == "running", null);

    private static ObservedContainer Observe(ContainerInspectResponse found) =>
        new(found.ID, found.Name?.TrimStart('/') ?? "", Label(found.Config?.Labels, ContainerLabels.App), Label(found.Config?.Labels, ContainerLabels.Spec),
            found.State?.Running == true, found.State is { Status: "exited" or "stopped" } state ? (int)state.ExitCode : null);

    private static string Label(IDictionary<string, string>? labels, string key) => labels is not null && labels.TryGetValue(key, out var value) ? value : "";

    private static string Cut(string text) => text.Length <= MaxLoggedChars ? text : text[..MaxLoggedChars];

    /// <summary>Called where the line is read: <see cref="Progress{T}"/> would post it to the pool and lose the order.</summary>
    private sealed class PullProgress : IProgress<JSONMessage>
    {
        public string? Error { get; private set; }

        public void Report(JSONMessage value) => Error ??= value.Error?.Message;
    }

    private sealed class EventSink(Action<Message> onEvent) : IProgress<Message>
    {
        public void Report(Message value) => onEvent(value);
    }
}
