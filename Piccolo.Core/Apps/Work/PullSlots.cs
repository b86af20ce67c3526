using System.Collections.Concurrent;
using Piccolo.Core.Containers;

namespace Piccolo.Core.Apps.Work;

/// <summary>
/// How many images are fetched from one registry at a time: a registry that takes connections and says nothing delays nobody but itself. Thread-safe.
/// </summary>
internal sealed class PullSlots(int perRegistry) : IDisposable
{
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _registries = new(StringComparer.Ordinal);

    public SemaphoreSlim Of(ImageReference image) => _registries.GetOrAdd(image.Registry, _ => new SemaphoreSlim(perRegistry));

    public void Dispose()
    {
        foreach (var slots in _registries.Values) slots.Dispose();
    }
}
