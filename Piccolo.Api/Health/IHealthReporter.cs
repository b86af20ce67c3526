namespace Piccolo.Api.Health;

/// <summary>Says how one component is, from what can be observed at this moment. Called by the health loop only.</summary>
internal interface IHealthReporter
{
    void Report();
}
