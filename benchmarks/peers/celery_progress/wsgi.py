import celery_app
from django.core.wsgi import get_wsgi_application

celery = celery_app.app
application = get_wsgi_application()
