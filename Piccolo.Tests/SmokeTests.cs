namespace Piccolo.Tests;

internal sealed class SmokeTests
{
    [Test]
    public void Builds() => Assert.That(typeof(Piccolo.Core.Vault.DataKey).Assembly.GetName().Name, Is.EqualTo("Piccolo.Core"));
}
