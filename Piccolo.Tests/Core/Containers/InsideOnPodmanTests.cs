using System.Collections.Immutable;
using System.Formats.Tar;
using Piccolo.Core.Containers;
using Piccolo.Core.Containers.Podman;
using Piccolo.Rig.Podman;

namespace Piccolo.Tests.Core.Containers;

/// <summary>Commands, logs, and the files of images on a real engine.</summary>
[Category("NeedsPodman")]
internal sealed class InsideOnPodmanTests : PodmanFixture
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Test]
    public async Task Exec_Commands_GiveTheirExitCodes()
    {
        var id = await StartAsync(Spec("web", "main"));

        foreach (var code in new[] { 0, 3, 255 })
            Assert.That(await ExecAsync(id, "exit", $"{code}"), Is.EqualTo(new ContainerResult<int>(code, null)));
        Assert.That((await ExecAsync(id, "flood")).Value, Is.EqualTo(7), "what it prints is dropped");
    }

    [Test]
    public async Task Exec_ThatCannotBeRun_FailsOneWayOrTheOther()
    {
        var id = await StartAsync(Spec("web", "main"));
        var missing = await _runtime.ExecAsync(id, ["/no/such/program"], Soon, default).WaitAsync(Patience);
        Assert.That(missing.Fault is not null || missing.Value != 0, Is.True, $"{missing}");

        await _runtime.StopAsync(id, TimeSpan.FromSeconds(5), default);
        Assert.That((await ExecAsync(id, "exit", "0")).Fault!.Kind, Is.EqualTo(ContainerFaultKind.Refused), "it does not run");
        await _runtime.RemoveAsync(id, default);
        Assert.That((await ExecAsync(id, "exit", "0")).Fault!.Kind, Is.EqualTo(ContainerFaultKind.NotFound));
    }

    [Test]
    public async Task Exec_ThatDoesNotAnswer_IsAFaultAndIsNotBegunAgain()
    {
        var id = await StartAsync(Spec("web", "main"));
        var limit = TimeSpan.FromSeconds(1);

        for (var i = 0; i < 4; i++)
        {
            var fault = (await _runtime.ExecAsync(id, [.. SampleImage.Program, "wait"], limit, default).WaitAsync(Patience)).Fault!;
            Assert.That((fault.Kind, fault.Sentence), Is.EqualTo(
                (ContainerFaultKind.Refused, "The command in the container did not answer within 1 seconds.")));
        }

        var processes = await _podman.RunAsync(["top", id, "args"]);
        Assert.That(processes.Split('\n').Count(l => l.TrimEnd().EndsWith("SampleApp.dll wait", StringComparison.Ordinal)), Is.EqualTo(1), processes);
        Assert.That((await ExecAsync(id, "exit", "3")).Value, Is.EqualTo(3), "others are run");
    }

    [Test]
    public async Task Exec_ForeignContainer_IsNotTouched()
    {
        var id = (await _podman.RunAsync(["run", "--detach", "--name", "foreign", SampleImage.Name])).Trim();

        Assert.That((await ExecAsync(id, "exit", "0")).Fault!.Kind, Is.EqualTo(ContainerFaultKind.Foreign));
        Assert.That(await LinesAsync(id), Is.Empty);
        await _podman.RunAsync(["rm", "--force", "--time", "0", "foreign"]);
    }

    [Test]
    public async Task Log_Lines_HaveTimeAndOutput()
    {
        var began = TimeProvider.System.GetUtcNow().AddSeconds(-1);
        var (id, port) = await ServeAsync(Spec("web", "main"));
        await PrintAsync(port, "one\ntwo\r\n\nthree"u8);
        await PrintAsync(port, "oh no\n"u8, "errors=true");
        await PrintAsync(port, " goes on\n"u8);
        await _runtime.StopAsync(id, TimeSpan.FromSeconds(10), default);

        var lines = await LinesAsync(id);

        Assert.That(lines.Where(l => !l.IsError).Select(l => l.Text), Is.SupersetOf(new[] { "one", "two" }));
        Assert.That(lines.Where(l => l.IsError).Select(l => l.Text), Does.Contain("oh no"));
        Assert.That(lines.Select(l => l.Text), Has.Some.Contains("three").And.Some.Contains("goes on"));
        Assert.That(lines.Select(l => l.At), Is.All.InRange(began, TimeProvider.System.GetUtcNow().AddSeconds(1)));
        Assert.That(lines.Select(l => l.At), Is.Ordered);
        Assert.That(await LinesAsync(id, tail: 1), Has.Count.EqualTo(1));
        Assert.That(await LinesAsync(id, since: TimeProvider.System.GetUtcNow().AddMinutes(1)), Is.Empty);
    }

    [Test]
    public async Task Log_HostileOutput_IsCut()
    {
        var (id, port) = await ServeAsync(Spec("web", "main"));
        await PrintAsync(port, new byte[1 << 20], "times=4");
        await PrintAsync(port, "\n"u8);
        await PrintAsync(port, [.. Enumerable.Repeat((byte)0xff, 100), (byte)'\n']);
        await PrintAsync(port, "end\n"u8);
        await _runtime.StopAsync(id, TimeSpan.FromSeconds(10), default);

        var lines = await LinesAsync(id);

        Assert.That(lines.Select(l => l.Text.Length), Is.All.LessThanOrEqualTo(LogFrames.MaxLine + 1));
        Assert.That(lines.Select(l => l.Text), Has.Some.Contains("\0\0\0").And.Some.EqualTo(new string('\ufffd', 100)));
        Assert.That(lines.Select(l => l.Text), Does.Contain("end"));
    }

    [Test]
    public async Task Log_Followed_GoesOnUntilTheEndAndMayBeLeft()
    {
        var (id, port) = await ServeAsync(Spec("web", "main"));
        await using var log = _runtime.ReadLogAsync(id, 100, null, follow: true, default).GetAsyncEnumerator();
        await PrintAsync(port, "now\n"u8);
        await UntilAsync(log, "now");
        await PrintAsync(port, "later\n"u8);
        await UntilAsync(log, "later");

        using var leaving = new CancellationTokenSource();
        await using var other = _runtime.ReadLogAsync(id, 0, null, follow: true, leaving.Token).GetAsyncEnumerator(leaving.Token);
        var next = other.MoveNextAsync().AsTask();
        await leaving.CancelAsync();
        Assert.That(async () => await next.WaitAsync(Patience), Throws.InstanceOf<OperationCanceledException>());

        await _runtime.StopAsync(id, TimeSpan.FromSeconds(10), default);
        while (await log.MoveNextAsync().AsTask().WaitAsync(Patience))
        {
            // What it said at its end.
        }
    }

    [Test]
    public async Task Image_Facts_AreItsOwnWords()
    {
        const string name = "localhost/piccolo-facts:latest";
        await SampleImage.ImportAsync(_podman, name, ["VOLUME /data/", "VOLUME other"]);
        var plain = (await _runtime.ImageAsync(ImageReference.Parse(name), default)).Value!;
        Assert.That(plain.Volumes, Is.EqualTo(new[] { "/data", "/other" }));
        Assert.That(plain.HealthCommand, Is.Empty);
        Assert.That(plain.Id, Does.Match("^[0-9a-f]{64}$"));

        Assert.That(await HealthAsync("CMD [\"/bin/check\", \"-q\"]"), Is.EqualTo(new[] { "/bin/check", "-q" }));
        Assert.That(await HealthAsync("CMD check -q || exit 1"), Is.EqualTo(new[] { "/bin/sh", "-c", "check -q || exit 1" }));
        Assert.That(await HealthAsync("NONE"), Is.Empty);
        Assert.That((await _runtime.ImageAsync(ImageReference.Parse("localhost/none:1"), default)).Fault!.Kind, Is.EqualTo(ContainerFaultKind.ImageNotFound));
    }

    [Test]
    public async Task ImageFolder_Read_IsTheImagesOwnAndLeavesNothing()
    {
        const string name = "localhost/piccolo-folders:latest";
        // Where a volume would lie over it.
        await SampleImage.ImportAsync(_podman, name, ["VOLUME /etc"]);
        var image = ImageReference.Parse(name);

        // Its user is another one than the files' owner.
        Assert.That(await EntriesAsync(image, "/etc/"), Does.Contain("etc/passwd:0"));
        Assert.That(await EntriesAsync(image, "/app"), Has.Some.StartsWith("app/SampleApp.dll:"));
        Assert.That(await EntriesAsync(image, "/tmp"), Is.EqualTo(new[] { "tmp/:0" }), "an empty folder is one");
        foreach (var path in new[] { "/none", "/etc/passwd", "/etc/passwd/below", "/../none" })
            Assert.That(await _runtime.ReadImageFolderAsync(image, path, default), Is.EqualTo(new ContainerResult<Stream?>(null, null)), path);
        Assert.That((await _runtime.ReadImageFolderAsync(ImageReference.Parse("localhost/none:1"), "/app", default)).Fault!.Kind,
            Is.EqualTo(ContainerFaultKind.ImageNotFound));

        Assert.That(await _podman.RunAsync(["ps", "--all", "--quiet"]), Is.Empty);
        Assert.That(await _podman.RunAsync(["volume", "ls", "--quiet"]), Is.Empty);
    }

    [Test]
    public async Task ImageFolder_BeingRead_IsNoStrayUntilItIsLeft()
    {
        var image = ImageReference.Parse(SampleImage.Name);
        var folder = (await _runtime.ReadImageFolderAsync(image, "/app", default)).Value!;
        Assert.That(await _podman.RunAsync(["ps", "--all", "--format", "{{.Names}}"]), Does.StartWith(ContainerSpec.NameOf(_instance, "") + ".copy-"));
        Assert.That((await _runtime.ListAsync(default)).Value, Is.Empty, "it is in use");

        // As the next process sees what this one left.
        using var next = NewRuntime();
        var stray = (await next.ListAsync(default)).Value.Single();
        Assert.That(stray.Name, Is.Not.EqualTo(ContainerSpec.NameOf(_instance, stray.App, stray.Service)), "that is what a stray is");
        Assert.That(await next.RemoveAsync(stray.Id, default), Is.Null);
        await folder.DisposeAsync();

        Assert.That(await _podman.RunAsync(["ps", "--all", "--quiet"]), Is.Empty);
    }

    private Task<ContainerResult<int>> ExecAsync(string id, params string[] command) =>
        _runtime.ExecAsync(id, [.. SampleImage.Program, .. command], Soon, default).WaitAsync(Patience);

    private async Task PrintAsync(int port, ReadOnlyMemory<byte> text, string query = "")
    {
        using var content = new ReadOnlyMemoryContent(text);
        using var answer = await _http.PostAsync(new Uri($"http://127.0.0.1:{port}/print?{query}"), content);
        answer.EnsureSuccessStatusCode();
    }

    private Task PrintAsync(int port, ReadOnlySpan<byte> text, string query = "") => PrintAsync(port, text.ToArray().AsMemory(), query);

    private async Task<List<ContainerLogLine>> LinesAsync(string id, int tail = 1000, DateTimeOffset? since = null)
    {
        using var patience = new CancellationTokenSource(Patience);
        var lines = new List<ContainerLogLine>();
        await foreach (var line in _runtime.ReadLogAsync(id, tail, since, follow: false, patience.Token)) lines.Add(line);
        return lines;
    }

    private static async Task UntilAsync(IAsyncEnumerator<ContainerLogLine> log, string text)
    {
        while (await log.MoveNextAsync().AsTask().WaitAsync(Patience))
            if (log.Current.Text == text) return;
        Assert.Fail($"The log ended before {text}.");
    }

    private async Task<ImmutableArray<string>> HealthAsync(string check)
    {
        var folder = Directory.CreateTempSubdirectory("piccolo-build-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "Containerfile"), $"FROM {SampleImage.Name}\nHEALTHCHECK {check}\n");
            await _podman.RunAsync(["build", "--quiet", "--format", "docker", "--tag", "localhost/piccolo-checked:1", folder.FullName]);
            return (await _runtime.ImageAsync(ImageReference.Parse("localhost/piccolo-checked:1"), default)).Value!.HealthCommand;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Name and owner of each entry.</summary>
    private async Task<List<string>> EntriesAsync(ImageReference image, string path)
    {
        var folder = await _runtime.ReadImageFolderAsync(image, path, default).WaitAsync(Patience);
        Assert.That(folder.Fault, Is.Null, () => string.Join('\n', _log.Lines));
        await using var tar = folder.Value!;
        await using var reader = new TarReader(tar);
        var entries = new List<string>();
        while (await reader.GetNextEntryAsync() is { } entry) entries.Add($"{entry.Name}:{entry.Uid}");
        return entries;
    }
}
