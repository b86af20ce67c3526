using Piccolo.Core.Vault;
using Piccolo.Tests.Fakes.Authorities;

namespace Piccolo.Tests.Core.Certificates.Scheduling;

/// <summary>A state folder, a CA and a key for loops that a test starts.</summary>
internal abstract class RenewalSchedulerFixture
{
    protected const string Id = "host:web.home.test";

    /// <summary>Pauses and waits after a failure; what limits a request or an order is further away.</summary>
    protected static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);

    private protected TemporaryFolder _folder = null!;
    private protected HostileCa _ca = null!;
    private protected DataKey _key = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _folder = new TemporaryFolder();
        _key = DataKey.Generate();
        _ca = await HostileCa.StartAsync(_folder.Path);
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _ca.DisposeAsync();
        _key.Dispose();
        _folder.Dispose();
    }

    protected EngineHarness Harness(TimeProvider? time = null)
    {
        var options = EngineHarness.OptionsFor(_ca);
        // A stepped clock must never come to these.
        if (time is not null) (options.RequestTimeout, options.OrderTimeout) = (TimeSpan.FromHours(1), TimeSpan.FromHours(2));
        return new EngineHarness(Path.Combine(_folder.Path, "state"), _key, options, time);
    }
}
