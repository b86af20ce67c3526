using System.Collections.Concurrent;
using System.Text.Json;
using Docker.DotNet;
using Docker.DotNet.Models;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Piccolo.Core.Containers.Firewall;
using Piccolo.Core.Primitives;
using Piccolo.Core.Primitives.Sockets;

namespace Piccolo.Core.Containers.Podman;

/// <summary>
/// Podman through its REST socket: Docker's API 1.41, and its own where that has no word for it. Owns the clients.
/// </summary>
internal sealed partial class PodmanRuntime : IContainerRuntime, IDisposable
{
    /// <summary>What of an engine's own words goes to the log.</summary>
    private const int MaxLoggedChars = 1024;
    private static readonly System.Version ApiVersion = new(1, 41);

    private readonly InstanceId _instance;
    private readonly ContainerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<PodmanRuntime> _logger;
    private readonly EngineReach _reach;
    private readonly AppFirewall _firewall;
    private readonly DockerClient? _client;
    private readonly LibpodClient? _libpod;

    /// <summary>The names of the containers that are made to read an image's files and are in use.</summary>
    private readonly ConcurrentDictionary<string, byte> _readers = new(StringComparer.Ordinal);

    /// <summary>Commands that did not answer in time and go on, by container and words: the engine's id of each.</summary>
    private readonly ConcurrentDictionary<(string Container, string Command), string> _silent = new();

    public PodmanRuntime(InstanceId instance, IOptions<ContainerOptions> options, AppFirewall firewall, TimeProvider time, ILogger<PodmanRuntime> logger)
    {
        (_instance, _options, _firewall, _time, _logger, _reach) = (instance, options.Value, firewall, time, logger, new EngineReach(logger));
        if (_options.Socket.Length == 0) return;
        _client = new DockerClientBuilder().WithEndpoint(new Uri("unix://" + Path.GetFullPath(_options.Socket)))
            .WithApiVersion(ApiVersion).WithTimeout(Timeout.InfiniteTimeSpan).Build();
        _libpod = new LibpodClient(Path.GetFullPath(_options.Socket));
    }

    public bool IsConfigured => _client is not null;

    public ChangeSignal Changed { get; } = new();

    public void Dispose()
    {
        _client?.Dispose();
        _libpod?.Dispose();
        _keepingRights.Dispose();
    }

    /// <summary>Looks at the labels before anything is done to a container, whatever id a caller brings.</summary>
    private async Task<ContainerFault?> OnOursAsync(
        string operation, string id, Func<DockerClient, CancellationToken, Task> act, ContainerFault? missing, TimeSpan timeout,
        CancellationToken cancellationToken)
    {
        var result = await CallAsync<bool>(operation, async (client, token) =>
        {
            if (await InspectAsync(client, id, token) is not { } found) return new ContainerResult<bool>(false, missing);
            if (ForeignUnlessOurs(found, id) is { } foreign) return foreign;
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

    private ContainerFault? ForeignUnlessOurs(ContainerInspectResponse found, string id) =>
        IsOurs(found.Config?.Labels) && IsOurName(found.Name) ? null : EngineErrors.Foreign(found.Name?.TrimStart('/') ?? id);

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
        catch (Exception e) when (e is JsonException or InvalidDataException)
        {
            _logger.EngineRefused(operation, EngineErrors.Refused.Kind, Cut(e.Message));
            return EngineErrors.Refused;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && (EngineErrors.IsTransport(e) || e is OperationCanceledException))
        {
            _reach.Lost(operation, limit.IsCancellationRequested ? $"no answer within {timeout}" : e.Message);
            return EngineErrors.Unreachable(_options.Socket);
        }
    }

    private Dictionary<string, IDictionary<string, bool>> OurLabel() =>
        new() { ["label"] = new Dictionary<string, bool> { [$"{ContainerLabels.Instance}={_instance.Value}"] = true } };

    private bool IsOurs(IDictionary<string, string>? labels) =>
        labels is not null && labels.TryGetValue(ContainerLabels.Instance, out var owner) && owner == _instance.Value;

    /// <summary>An image that was made of one of our containers has its labels, and so has every container of the owner's that is made of that image.</summary>
    private bool IsOurName(string? name) => name?.TrimStart('/').StartsWith(ContainerSpec.NameOf(_instance, ""), StringComparison.Ordinal) == true;

    private static string Label(IDictionary<string, string>? labels, string key) => labels is not null && labels.TryGetValue(key, out var value) ? value : "";

    private static string ServiceOf(IDictionary<string, string>? labels) =>
        Label(labels, ContainerLabels.Service) is { Length: > 0 } service ? service : ContainerSpec.MainService;

    private static string Cut(string text) => text.Length <= MaxLoggedChars ? text : text[..MaxLoggedChars];
}
