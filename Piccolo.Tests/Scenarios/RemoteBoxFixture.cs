using Piccolo.Rig.Acme;
using Piccolo.Tests.Fakes;
using Piccolo.Tests.Fakes.Relays;

namespace Piccolo.Tests.Scenarios;

/// <summary>An appliance behind a DevRelay with a real CA and a real DNS, configured and the same for all tests of a class.</summary>
internal abstract class RemoteBoxFixture
{
    private protected const string CaaIdentity = "pebble.test";

    private TempFolder _folder = null!;

    private protected ChallengeTestServer Dns { get; private set; } = null!;

    private protected PebbleServer Ca { get; private set; } = null!;

    private protected RemoteBox Box { get; private set; } = null!;

    /// <summary>On top of what leads it to this CA and this DNS.</summary>
    private protected abstract (string Key, string Value)[] Settings { get; }

    private protected virtual PebbleEdition Edition => PebbleEdition.Installed;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _folder = new TempFolder();
        Dns = await ChallengeTestServer.StartAsync(_folder.Path);
        var http = new PublicDoor();
        Ca = await PebbleServer.StartAsync(_folder.Path, new PebbleOptions { HttpPort = http.Port, DnsServer = Dns.DnsServer, Edition = Edition });
        Box = await RemoteBox.StartAsync(http,
        [
            ("Piccolo:Acme:DirectoryUrl", Ca.DirectoryUrl.ToString()), ("Piccolo:Acme:TrustedRootsFile", Ca.TrustFile),
            ("Piccolo:Remote:CaaIdentities:0", CaaIdentity), ("Piccolo:Remote:ProbeResolver", Dns.DnsServer), .. Settings,
        ]);
        await Box.ConfigureAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await Box.DisposeAsync();
        await Ca.DisposeAsync();
        await Dns.DisposeAsync();
        _folder.Dispose();
    }
}
