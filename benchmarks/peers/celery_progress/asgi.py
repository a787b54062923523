import celery_app
from django.core.asgi import get_asgi_application

celery = celery_app.app
application = get_asgi_application()
