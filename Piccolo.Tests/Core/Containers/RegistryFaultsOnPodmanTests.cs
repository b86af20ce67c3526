using Microsoft.Extensions.Options;
using Piccolo.Core.Containers;
using Piccolo.Core.Containers.Podman;
using Piccolo.Rig.Podman;
using Piccolo.Tests.Core.Apps;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Networks;
using Piccolo.Tests.Fakes.Registries;

namespace Piccolo.Tests.Core.Containers;

/// <summary>What becomes of a registry's refusals on the way through a real engine.</summary>
[Category("NeedsPodman"), Category("Timing")]
internal sealed class RegistryFaultsOnPodmanTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly RecordedLog _log = new();
    private TempFolder _folder = null!;
    private FakeRegistry _registry = null!;
    private PodmanServer _podman = null!;
    private PodmanRuntime _runtime = null!;

    [OneTimeSetUp]
    public async Task SetUp()
    {
        _folder = new TempFolder();
        _registry = await FakeRegistry.StartAsync();
        _podman = await PodmanServer.StartAsync(network: null, _registry.Host).WaitAsync(Patience);
        // The shortest that the settings allow.
        _runtime = Runtime(TimeSpan.FromSeconds(10));
        var tar = await SampleImage.BuildAsync().WaitAsync(Patience);
        await _registry.AddAsync("team/app", "1", tar, new { });
        // Other content, so that nothing of it is here already when another test has pulled the first.
        var other = _folder.File("other.tar");
        await using (var copy = File.Create(other))
        {
            await using (var source = File.OpenRead(tar)) await source.CopyToAsync(copy);
            // More of the zeros that end a tar.
            await copy.WriteAsync(new byte[1024]);
        }
        await _registry.AddAsync("slow/app", "1", other, new { });
    }

    [OneTimeTearDown]
    public async Task TearDown()
    {
        _runtime?.Dispose();
        if (_podman is not null) await _podman.DisposeAsync();
        if (_registry is not null) await _registry.DisposeAsync();
        _folder?.Dispose();
    }

    [TestCase("private/app:1", ContainerFaultKind.SignInNeeded, "wants a sign-in")]
    [TestCase("team/none:1", ContainerFaultKind.ImageNotFound, "was not found")]
    [TestCase("team/app:none", ContainerFaultKind.ImageNotFound, "was not found")]
    [TestCase("foreign/app:1", ContainerFaultKind.NoPlatform, "does not exist for this device's processor")]
    [TestCase("silent/app:1", ContainerFaultKind.RegistryUnreachable, "No more of the image")]
    public async Task Pull_RefusedByTheRegistry_IsAFaultOfItsOwn(string image, ContainerFaultKind kind, string sentence)
    {
        var fault = await _runtime.PullAsync(ImageReference.Parse($"{_registry.Host}/{image}"), null, CancellationToken.None).WaitAsync(Patience);

        Assert.That(fault?.Kind, Is.EqualTo(kind), () => string.Join('\n', _log.Lines));
        Assert.That(fault!.Sentence, Does.Contain(sentence));
    }

    [Test]
    public async Task Pull_SlowerThanTheLimitOfSilence_ComesThrough()
    {
        _registry.Pause = TimeSpan.FromSeconds(4);
        var began = TimeProvider.System.GetTimestamp();

        var fault = await _runtime.PullAsync(ImageReference.Parse($"{_registry.Host}/slow/app:1"), null, CancellationToken.None).WaitAsync(Patience);

        Assert.That(fault, Is.Null, () => string.Join('\n', _log.Lines));
        Assert.That(TimeProvider.System.GetElapsedTime(began), Is.GreaterThan(TimeSpan.FromSeconds(11)), "longer than the silence that is allowed");
    }

    [TestCase("You have reached your pull rate limit.", null)]
    [TestCase("Too much. Retry-After: 1800s", 30)]
    public async Task Pull_RegistryThatHasServedEnough_KeepsTheTimeThatItNames(string message, int? minutes)
    {
        _registry.LimitMessage = message;
        // The engine asks again a few times by itself.
        using var runtime = Runtime(Patience);

        var fault = await runtime.PullAsync(ImageReference.Parse($"{_registry.Host}/limited/app:1"), null, CancellationToken.None).WaitAsync(Patience);

        Assert.That((fault!.Kind, fault.RetryAfter?.TotalMinutes), Is.EqualTo((ContainerFaultKind.RateLimited, (double?)minutes)),
            () => string.Join('\n', _log.Lines));
    }

    [Test]
    public async Task Pull_WhileAnotherHangs_ComesThroughWithItsDigest()
    {
        using var ending = new CancellationTokenSource();
        var hanging = _runtime.PullAsync(ImageReference.Parse($"{_registry.Host}/silent/other:1"), null, ending.Token);
        await AppRig.UntilAsync(
            _registry.Asked, () => _registry.Requests.Any(r => r.Contains("/silent/other/", StringComparison.Ordinal)), () => "nobody asked");
        var image = ImageReference.Parse($"{_registry.Host}/team/app:1");

        Assert.That(await _runtime.PullAsync(image, null, CancellationToken.None).WaitAsync(Patience), Is.Null, () => string.Join('\n', _log.Lines));

        Assert.That(hanging.IsCompleted, Is.False);
        var digest = (await _runtime.ImageAsync(image, CancellationToken.None)).Value!.Digest;
        Assert.That(digest, Is.EqualTo(await _registry.AddAsync("team/app", "1", await SampleImage.BuildAsync(), new { })), "the one that the registry knows");
        await ending.CancelAsync();
        Assert.That(async () => await hanging.WaitAsync(Patience), Throws.InstanceOf<OperationCanceledException>());
    }

    private PodmanRuntime Runtime(TimeSpan silence)
    {
        var instance = InstanceId.NewRandom();
        var options = Options.Create(new ContainerOptions { Socket = _podman.SocketPath, PullTimeout = silence });
        return new PodmanRuntime(instance, options, TestFirewall.Of(instance, _log), TimeProvider.System, _log.For<PodmanRuntime>());
    }
}
