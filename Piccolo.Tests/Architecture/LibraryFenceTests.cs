using ArchUnitNET.Loader;
using Piccolo.Core.Primitives;

namespace Piccolo.Tests.Architecture;

/// <summary>Each library has one feature that knows it, so that it can be replaced there; the product itself knows no ASP.NET Core.</summary>
internal sealed class LibraryFenceTests
{
    private static readonly ArchUnitNET.Domain.Architecture Core = new ArchLoader().LoadAssembly(typeof(ChangeSignal).Assembly).Build();

    [TestCase("Microsoft.Data.Sqlite", "Piccolo.Core.ControlStore")]
    [TestCase("DbUp", "Piccolo.Core.ControlStore")]
    [TestCase("YamlDotNet", "Piccolo.Core.Apps")]
    [TestCase("Docker.DotNet", "Piccolo.Core.Containers")]
    [TestCase("NSec", "Piccolo.Core.Vault")]
    [TestCase("Zxcvbn", "Piccolo.Core.Vault")]
    [TestCase("DnsClient", "Piccolo.Core.Remote")]
    [TestCase("System.Diagnostics.Process", "Piccolo.Core.Volumes", "Piccolo.Core.Containers.Firewall")]
    public void Library_IsKnownToItsFeatureOnly(string library, params string[] features)
    {
        var users = UsersOf(library);

        Assert.That(users, Is.Not.Empty, "the rule looks at nothing");
        Assert.That(users.Where(u => !features.Any(f => u.Type.StartsWith(f + ".", StringComparison.Ordinal))), Is.Empty);
    }

    [TestCase("Microsoft.AspNetCore")]
    [TestCase("Piccolo.Api")]
    public void Core_DoesNotKnow(string outside) => Assert.That(UsersOf(outside), Is.Empty);

    private static List<(string Type, string Target)> UsersOf(string outside) =>
    [
        .. from type in Core.Types
           where type.FullName.StartsWith("Piccolo.Core.", StringComparison.Ordinal)
           from target in type.Dependencies.Select(d => d.Target.FullName).Distinct()
           where target == outside || target.StartsWith(outside + ".", StringComparison.Ordinal)
           select (type.FullName, target),
    ];
}
