using System.Security.Cryptography;
using Piccolo.Core.Certificates;
using Piccolo.Core.Certificates.Acme.Messages;
using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Certificates.Acme.Wire;
using Piccolo.Core.Certificates.Hosting;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes.Authorities;

namespace Piccolo.Tests.Core.Certificates;

/// <summary>
/// A hostile CA and an engine that knows no other: whatever it sends ends in the right
/// class, leaves nothing unchecked in the store, and has a next attempt.
/// </summary>
internal abstract class HostileCaFixture
{
    protected const string Id = "host:web.home.test";

    protected TemporaryFolder Folder { get; private set; } = null!;

    protected HostileCa Ca { get; private set; } = null!;

    protected DataKey Key { get; private set; } = null!;

    protected EngineHarness Harness { get; private set; } = null!;

    [SetUp]
    public async Task StartAsync()
    {
        Folder = new TemporaryFolder();
        Key = DataKey.Generate();
        Ca = await HostileCa.StartAsync(Folder.Path);
        Harness = new EngineHarness(Path.Combine(Folder.Path, "state"), Key, EngineHarness.OptionsFor(Ca));
    }

    [TearDown]
    public async Task StopAsync()
    {
        await Harness.DisposeAsync();
        await Ca.DisposeAsync();
        Key.Dispose();
        Folder.Dispose();
    }

    protected string Thumbprint()
    {
        var account = new SealedCertificateStore(Harness.Store).Account(Ca.DirectoryUrl)!;
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(account.KeyPkcs8, out _);
        using var signer = new JwsSigner(key);
        return signer.Thumbprint;
    }

    protected AcmeOptions Hurried()
    {
        var options = EngineHarness.OptionsFor(Ca);
        options.RequestTimeout = TimeSpan.FromMilliseconds(700);
        return options;
    }

    protected string OrderJson(string status, string name = "web.home.test", string error = "") =>
        $$"""{"status":"{{status}}","identifiers":[{"type":"dns","value":"{{name}}"}],"authorizations":["{{Ca.Origin}}authz/1/0"],{{error}}"finalize":"{{Ca.Origin}}finalize/1"}""";

    protected void AddLocation(string step)
    {
        var inner = Ca.Script[step];
        Ca.Script[step] = (context, n) =>
        {
            context.Response.Headers.Location = "/order/1";
            return inner(context, n);
        };
    }

    protected async Task OrderAsync()
    {
        await Harness.StartAsync();
        Harness.Scheduler.Want([EngineHarness.Want("web.home.test")]);
    }

    protected async Task<CertificateEntry> AssertFailsAsync(AcmeFailureClass kind, string? code = null)
    {
        await OrderAsync();
        var entry = await Harness.UntilAsync(Id, CertificateStatus.Error);
        Assert.That(entry.LastError!.Class, Is.EqualTo(kind), entry.LastError.ToString());
        if (code is not null) Assert.That(entry.LastError.Code, Is.EqualTo(code), entry.LastError.ToString());
        Assert.That(entry.LastError.NextStep, Is.Not.Empty);
        Assert.That(entry.NextAttempt, Is.GreaterThan(entry.LastAttempt!.Value));
        Assert.That(Harness.Stored(), Is.Empty, "nothing unchecked may be stored");
        Assert.That(Harness.Table.Find("web.home.test"), Is.Null);
        Assert.That(Harness.Log.Count(2009), Is.Zero, Harness.Log.Text);
        return entry;
    }
}
