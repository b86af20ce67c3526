using System.Security.Cryptography.X509Certificates;

namespace Piccolo.Tests.Compose;

/// <summary><c>compose/prepare</c> keeps what is good, mends what is not, and says so.</summary>
[Category("NeedsProcess")]
internal sealed class PrepareTests
{
    [Test]
    public async Task Prepare_RunAgain_KeepsEverything()
    {
        using var folder = await PreparedFolder.MakeAsync();
        var secret = await File.ReadAllTextAsync(folder.File("generated/device-secret"));

        var again = await folder.RunAsync();

        Assert.That(again.Output, Does.Contain("kept  root.pem").And.Contain("kept  hub.pem").And.Contain("kept  device-secret").And.Not.Contain("made"));
        Assert.That(await File.ReadAllTextAsync(folder.File("generated/device-secret")), Is.EqualTo(secret));
        Assert.That(secret, Does.Match("^[0-9a-f]{64}$"));
    }

    [Test]
    public async Task Prepare_EmptyFolder_KeysAndSecretAreTheOwnersAlone()
    {
        using var folder = await PreparedFolder.MakeAsync();

        foreach (var name in (string[])["root-key.pem", "hub-key.pem", "pebble-key.pem", "device-secret", "nexus.yaml"])
            Assert.That(File.GetUnixFileMode(folder.File($"generated/{name}")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite), name);
    }

    [Test]
    public async Task Prepare_KeyOfAnotherPair_MakesThatPairAnew()
    {
        using var folder = await PreparedFolder.MakeAsync();
        File.Copy(folder.File("generated/pebble-key.pem"), folder.File("generated/hub-key.pem"), overwrite: true);

        var mended = await folder.RunAsync();

        Assert.That(mended.Output, Does.Contain("made  hub.pem").And.Contain("kept  pebble.pem").And.Contain("kept  root.pem"));
        using var hub = X509Certificate2.CreateFromPemFile(folder.File("generated/hub.pem"), folder.File("generated/hub-key.pem"));
        Assert.That(hub.MatchesHostname("relay"), Is.True, "the name by which the appliance dials it");
    }

    [Test]
    public async Task Prepare_RootReplaced_MakesEveryCertificateAnew()
    {
        using var folder = await PreparedFolder.MakeAsync();
        File.Delete(folder.File("generated/root.pem"));

        Assert.That((await folder.RunAsync()).Output,
            Does.Contain("made  root.pem").And.Contain("made  hub.pem").And.Contain("made  pebble.pem").And.Contain("kept  device-secret"));
    }

    [Test]
    public async Task Prepare_FolderInPlaceOfAFile_SaysWhoMadeItAndWhatToDo()
    {
        using var folder = PreparedFolder.Make();
        Directory.CreateDirectory(folder.File("generated/root.pem"));

        var refused = await folder.RunAsync();

        Assert.That(refused.ExitCode, Is.EqualTo(1));
        Assert.That(refused.Output, Does.Contain("generated/root.pem is a folder").And.Contain("rm -r compose/generated/root.pem"));
        Assert.That(folder.File("generated/hub.pem"), Does.Not.Exist);
    }

    [Test]
    public async Task Prepare_NoEngine_SaysWhatToInstall()
    {
        using var folder = PreparedFolder.Make();
        File.Delete(folder.Engine);

        var refused = await folder.RunAsync();

        Assert.That((refused.ExitCode, refused.Output),
            Is.EqualTo((1, "prepare: there is no container engine: install Docker with its compose plugin, or podman and podman-compose\n")));
    }

    [TestCase("--help", 0)]
    [TestCase("--nonsense", 1)]
    public async Task Prepare_HelpOrNonsense_ShowsTheUsageAndMakesNothing(string argument, int exitCode)
    {
        using var folder = PreparedFolder.Make();

        var run = await folder.RunAsync(argument);

        Assert.That((run.ExitCode, run.Output.StartsWith("usage: compose/prepare", StringComparison.Ordinal)), Is.EqualTo((exitCode, true)));
        Assert.That(folder.File("generated"), Does.Not.Exist);
    }
}
