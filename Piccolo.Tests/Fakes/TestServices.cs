using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Piccolo.Tests.Fakes;

/// <summary>What a host brings before any feature: logging, and settings that say nothing.</summary>
internal static class TestServices
{
    public static IServiceCollection New() => new ServiceCollection().AddLogging().AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
}
