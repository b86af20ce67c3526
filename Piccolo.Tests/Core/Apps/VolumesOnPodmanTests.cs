using Microsoft.Extensions.DependencyInjection;
using Piccolo.Core.Apps;
using Piccolo.Core.Containers;
using Piccolo.Rig.Podman;

namespace Piccolo.Tests.Core.Apps;

/// <summary>Volumes and images of apps on a real engine.</summary>
[Category("NeedsPodman")]
internal sealed class VolumesOnPodmanTests : AppsOnPodmanFixture
{
    [Test]
    public async Task Update_Environment_RemakesTheContainerAtTheSamePort()
    {
        var guard = Install(Web);
        await UntilAsync(AppState.Running);
        var before = Board.Find("web")!.ContainerId;

        Assert.That(Install(Web.Replace("hello", "good day", StringComparison.Ordinal)), Is.EqualTo(guard));
        await AppRig.UntilAsync(Board.Changed, () => Board.Find("web") is { State: AppState.Running } status && status.ContainerId != before,
            () => $"still {Board.Find("web")}");

        Assert.That(await GetAsync(guard, "env?name=GREETING"), Is.EqualTo("good day"));
    }

    [Test]
    public async Task Volume_OfTheImage_OutlivesTheContainerAndGoesWithTheApp()
    {
        var image = await ImageWithVolumesAsync();
        Install(Web.Replace(SampleImage.Name, image, StringComparison.Ordinal));
        await UntilAsync(AppState.Running);
        var first = Board.Find("web")!.ContainerId!;
        var volumes = await VolumesOfAsync(first);
        Assert.That(volumes.Keys, Is.EquivalentTo(new[] { "/data", "/tmp" }));
        await File.WriteAllTextAsync(Path.Combine(await MountpointAsync(volumes["/data"]), "rows"), "1,2,3");

        Install(Web.Replace(SampleImage.Name, image, StringComparison.Ordinal).Replace("hello", "good day", StringComparison.Ordinal));
        var second = await UntilOtherContainerAsync(first);
        Assert.That(await VolumesOfAsync(second), Is.EquivalentTo(volumes));

        Catalog.MoveBusyGuardPorts("web");
        var third = await UntilOtherContainerAsync(second);
        Assert.That(await VolumesOfAsync(third), Is.EquivalentTo(volumes));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(await MountpointAsync(volumes["/data"]), "rows")), Is.EqualTo("1,2,3"));

        // An image that declares nothing does not take the data away.
        Install(Web);
        var fourth = await UntilOtherContainerAsync(third);
        Assert.That(await VolumesOfAsync(fourth), Is.EquivalentTo(volumes));

        Catalog.Remove("web");
        await AppRig.UntilAsync(Board.Changed, () => Board.Find("web") is null, () => "the app stays");
        Assert.That(await _podman.RunAsync(
            ["volume", "ls", "--quiet", "--filter", $"label={ContainerLabels.Instance}={_services.GetRequiredService<InstanceId>().Value}"]), Is.Empty);
        Assert.That(await _podman.RunAsync(["volume", "ls", "--quiet"]), Does.Not.Contain(volumes["/data"]));
    }

    [Test]
    public async Task Volume_OfAContainerFromAnEarlierRelease_IsKept()
    {
        var image = await ImageWithVolumesAsync();
        var instance = _services.GetRequiredService<InstanceId>();
        await _podman.RunAsync(
        [
            "create", "--name", ContainerSpec.NameOf(instance, "web"), "--label", $"{ContainerLabels.Instance}={instance.Value}", "--label",
            $"{ContainerLabels.App}=web",
            "--label", $"{ContainerLabels.Spec}=old", image,
        ]);
        var volumes = await VolumesOfAsync(ContainerSpec.NameOf(instance, "web"));
        await File.WriteAllTextAsync(Path.Combine(await MountpointAsync(volumes["/data"]), "rows"), "1,2,3");

        Install(Web.Replace(SampleImage.Name, image, StringComparison.Ordinal));
        await UntilAsync(AppState.Running);

        Assert.That(await VolumesOfAsync(Board.Find("web")!.ContainerId!), Is.EquivalentTo(volumes));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(await MountpointAsync(volumes["/data"]), "rows")), Is.EqualTo("1,2,3"));
        Catalog.Remove("web");
        await AppRig.UntilAsync(Board.Changed, () => Board.Find("web") is null, () => "the app stays");
        Assert.That(await _podman.RunAsync(
            ["volume", "ls", "--quiet", "--filter", $"label={ContainerLabels.Instance}={_services.GetRequiredService<InstanceId>().Value}"]), Is.Empty);
        Assert.That(await _podman.RunAsync(["volume", "ls", "--quiet"]), Does.Not.Contain(volumes["/data"]));
    }

    [Test]
    public async Task Update_NameThatStandsForANewerImage_RemakesTheContainerOfIt()
    {
        var image = await ImageWithVolumesAsync();
        Install(Web.Replace(SampleImage.Name, image, StringComparison.Ordinal));
        await UntilAsync(AppState.Running);
        var first = Board.Find("web")!.ContainerId!;
        Catalog.AskUpdate("web");
        await AppRig.UntilAsync(Store.Changed, () => Catalog.Find("web")!.LastUpdate is { Outcome: UpdateOutcome.Unchanged },
            () => $"{Catalog.Find("web")!.LastUpdate}");
        Assert.That(Board.Find("web")!.ContainerId, Is.EqualTo(first));

        await ImageWithVolumesAsync("LABEL release=2");
        Catalog.AskUpdate("web");
        var second = await UntilOtherContainerAsync(first);

        Assert.That(Catalog.Find("web")!.LastUpdate!.Outcome, Is.EqualTo(UpdateOutcome.Updated));
        Assert.That(await _podman.RunAsync(["inspect", "--format", "{{.Image}}", second]),
            Is.EqualTo(await _podman.RunAsync(["image", "inspect", "--format", "{{.Id}}", image])));
        Catalog.Remove("web");
        await AppRig.UntilAsync(Board.Changed, () => Board.Find("web") is null, () => "the app stays");
    }

    /// <summary>The sample app in an image that declares two volumes, one of them where the image has a folder that everybody may write to.</summary>
    private async Task<string> ImageWithVolumesAsync(string change = "LABEL release=1")
    {
        const string image = "localhost/with-volumes:latest";
        await _podman.RunAsync(["rm", "--force", "--ignore", "seed"]);
        await _podman.RunAsync(["create", "--name", "seed", SampleImage.Name]);
        await _podman.RunAsync(["commit", "--quiet", "--change", "VOLUME /data", "--change", "VOLUME /tmp/", "--change", change, "seed", image]);
        await _podman.RunAsync(["rm", "seed"]);
        return image;
    }

    private async Task<Dictionary<string, string>> VolumesOfAsync(string container) =>
        (await _podman.RunAsync(["inspect", "--format", "{{range .Mounts}}{{.Destination}}={{.Name}}\n{{end}}", container]))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);

    private async Task<string> MountpointAsync(string volume) => (await _podman.RunAsync(["volume", "inspect", "--format", "{{.Mountpoint}}", volume])).Trim();

    private async Task<string> UntilOtherContainerAsync(string before)
    {
        await AppRig.UntilAsync(Board.Changed, () => Board.Find("web") is { State: AppState.Running } status && status.ContainerId != before,
            () => $"still {Board.Find("web")}; podman: {_podman.Log}");
        return Board.Find("web")!.ContainerId!;
    }
}
