using System.Collections.Immutable;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace Piccolo.Core.Containers.Podman;

// Images: whether they are here, what they say of themselves, and how they come.
internal sealed partial class PodmanRuntime
{
    /// <summary>Of sha512.</summary>
    private const int MaxDigest = 135;

    /// <summary>A registry that sends a byte now and then is not waited for without end.</summary>
    private static readonly TimeSpan LongestPull = TimeSpan.FromHours(12);

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

    public Task<ContainerResult<string?>> NewerImageAsync(string app, string service, ImageReference image, CancellationToken cancellationToken) =>
        CallAsync<string?>("compare images", async (client, token) =>
        {
            var named = await client.Images.InspectImageAsync(image.ToString(), token);
            var container = await InspectAsync(client, ContainerSpec.NameOf(_instance, app, service), token);
            return new ContainerResult<string?>(container is null || IdOf(container.Image) == IdOf(named.ID) ? null : IdOf(named.ID), null);
        }, cancellationToken);

    public Task<ContainerResult<ImageFacts>> ImageAsync(ImageReference image, CancellationToken cancellationToken) =>
        CallAsync<ImageFacts>("inspect image", async (_, token) =>
        {
            var found = await _libpod!.InspectImageAsync(image.ToString(), token);
            return new ImageFacts(IdOf(found.Id) ?? "", VolumesOf(found), HealthCommand(found.Healthcheck?.Test ?? [])) { Digest = DigestOf(found.Digest) };
        }, cancellationToken);

    public async Task<ContainerFault?> PullAsync(ImageReference image, IProgress<PullProgress>? progress, CancellationToken cancellationToken)
    {
        var result = await CallAsync<bool>("pull", async (client, token) =>
        {
            using var silence = new CancellationTokenSource(_options.PullTimeout, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(token, silence.Token);
            var tally = new PullTally(more =>
            {
                silence.CancelAfter(_options.PullTimeout);
                progress?.Report(more);
            });
            try
            {
                // The whole reference goes into one member: the engine splits tag and digest itself, and an empty tag would mean all tags.
                await client.Images.CreateImageAsync(new ImagesCreateParameters { FromImage = image.ToString() }, null, tally, either.Token);
            }
            catch (OperationCanceledException) when (silence.IsCancellationRequested && !token.IsCancellationRequested)
            {
                return EngineErrors.PullSilent(image, _options.PullTimeout);
            }
            if (tally.Error is not { } text) return true;
            var fault = EngineErrors.FromPull(image, text);
            _logger.EngineRefused("pull", fault.Kind, Cut(text));
            return fault;
        }, LongestPull, cancellationToken);
        if (result.Fault is null) _logger.ImagePulled(image.ToString());
        return result.Fault;
    }

    /// <summary>Engines write ids with and without their algorithm.</summary>
    private static string? IdOf(string? id) => id?.Split(':')[^1];

    private static string? DigestOf(string? text) => text is { Length: > 0 and <= MaxDigest } ? text : null;

    private static ImmutableArray<string> VolumesOf(LibpodClient.Image image) =>
        [.. (image.Config?.Volumes?.Keys ?? Enumerable.Empty<string>()).Select(Surroundings.Normal).Distinct().Order(StringComparer.Ordinal)];

    private static ImmutableArray<string> HealthCommand(ImmutableArray<string> test) => test switch
    {
        ["CMD", .. var words] => [.. words],
        ["CMD-SHELL", var line] => ["/bin/sh", "-c", line],
        _ => [],
    };
}
