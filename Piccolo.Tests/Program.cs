using Piccolo.Tests.Core.ControlStore;

namespace Piccolo.Tests;

/// <summary>This assembly as a program of its own, for what has to be killed and is in no release yet.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args) => args is [KilledMigrationTests.Verb, var folder] ? await KilledMigrationTests.MigrateAsync(folder) : 2;
}
