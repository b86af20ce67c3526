using System.Collections.Immutable;
using Piccolo.Core.Apps.Manifest;
using Piccolo.Core.Apps.Plans;

namespace Piccolo.Tests.Core.Apps.Plans;

internal sealed class ServiceOrderTests
{
    [TestCase("a b c", "a b c", TestName = "Order_NoDependencies_IsThatOfTheText")]
    [TestCase("a>b b>c c", "c b a", TestName = "Order_Chain_BeginsAtItsEnd")]
    [TestCase("web>db>cache job>db db cache", "db job cache web", TestName = "Order_SeveralDependants_WaitForAll")]
    public void Order(string services, string expected) =>
        Assert.That(ServiceOrder.Of([.. services.Split(' ').Select(Service)]).Select(s => s.Name), Is.EqualTo(expected.Split(' ')));

    [Test]
    public void Order_Circle_Throws() =>
        Assert.That(() => ServiceOrder.Of([Service("a>b"), Service("b>a")]), Throws.InvalidOperationException);

    private static ServiceManifest Service(string text)
    {
        var parts = text.Split('>');
        return new ServiceManifest(parts[0], "localhost/x:1")
        {
            DependsOn = parts.Skip(1).ToImmutableSortedDictionary(p => p, _ => DependencyCondition.Started, StringComparer.Ordinal),
        };
    }
}
