using Piccolo.Core.Certificates.Acme.Options;
using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes.Authorities;
using Piccolo.Tests.Fakes.Clocks;

namespace Piccolo.Tests.Core.Certificates;

/// <summary>A CA that does what it is told to, and a clock that goes from timer to timer.</summary>
[Category("Acme")]
internal abstract class SteppedCaFixture
{
    protected const string Id = "host:web.home.test";

    /// <summary>Pauses and waits after a failure; what limits a request or an order is further away.</summary>
    protected static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);

    private TemporaryFolder _folder = null!;
    private DataKey _key = null!;

    private protected SteppedTime Time { get; private set; } = null!;

    private protected HostileCa Ca { get; private set; } = null!;

    [SetUp]
    public async Task StartAsync()
    {
        Time = new SteppedTime(TimeProvider.System.GetUtcNow());
        _folder = new TemporaryFolder();
        _key = DataKey.Generate();
        Ca = await HostileCa.StartAsync(_folder.Path);
    }

    [TearDown]
    public async Task StopAsync()
    {
        await Ca.DisposeAsync();
        _key.Dispose();
        _folder.Dispose();
    }

    private protected EngineHarness Harness(Action<AcmeOptions>? change = null)
    {
        var options = EngineHarness.OptionsFor(Ca);
        change?.Invoke(options);
        // A stepped clock must never come to these.
        (options.RequestTimeout, options.OrderTimeout) = (Longest * 2, Longest * 3);
        return new EngineHarness(Path.Combine(_folder.Path, "state"), _key, options, Time);
    }
}
